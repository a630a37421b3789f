//! Any keys, mouse events and sizes, over any capture: the screen never panics, and draws nothing raw.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use framescope::capture::import::samples::Sample;
use framescope::capture::import::{self, ImportOptions};
use framescope::explain::tour::Tour;
use framescope::proto::time::Time;
use framescope::tui::state::tour::TourStart;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::{DOWN, Screen, UP, Wire, cases, frame, several};

/// What a person does.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, KeyModifiers),
    Mouse(MouseEventKind, u16, u16),
    Resize(u16, u16),
    /// New records arrive.
    Ticks(usize),
    /// The terminal sends a paste.
    Paste(String),
}

fn key() -> impl Strategy<Value = KeyCode> {
    use KeyCode::{
        BackTab, Backspace, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, PageDown, PageUp, Right, Tab, Up,
    };
    let named = select(vec![
        Up,
        Down,
        Left,
        Right,
        Home,
        End,
        PageUp,
        PageDown,
        Tab,
        BackTab,
        Enter,
        Esc,
        Backspace,
        Delete,
        Insert,
        F(1),
    ]);
    prop_oneof![
        4 => named,
        // The views, overlays and jumps, which change most of what is drawn.
        3 => select("1234fmpPyetTHsbIz=&/?[]\\'ghG nN".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let modifiers = prop_oneof![
        9 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::SHIFT),
    ];
    let mouse = select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ]);
    prop_oneof![
        12 => (key(), modifiers).prop_map(|(code, modifiers)| Step::Key(code, modifiers)),
        2 => (mouse, 0u16..200, 0u16..60).prop_map(|(kind, x, y)| Step::Mouse(kind, x, y)),
        1 => size().prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (0usize..30).prop_map(Step::Ticks),
        1 => pasted().prop_map(Step::Paste),
    ]
}

/// Frames as text, or any text.
fn pasted() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => vec(any::<u8>(), 1..60).prop_map(hex::encode),
        1 => "\\PC{0,200}",
        1 => any::<String>(),
    ]
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        1 => (1u16..20, 1u16..12),
        2 => (20u16..130, 5u16..45),
        2 => select(vec![(120, 36), (80, 24), (60, 20), (200, 60), (110, 30)]),
    ]
}

/// What the screen is over.
#[derive(Clone, Debug)]
enum Over {
    /// A live capture with a cut frame of the largest length.
    Live,
    /// A live capture of three connections.
    Several,
    /// The same, with the tour at that step.
    Tour(usize),
    /// A ring that evicts.
    Ring,
    /// A sample with changed bytes.
    File(usize, Vec<(Index, u8)>),
}

fn over() -> impl Strategy<Value = Over> {
    prop_oneof![
        1 => Just(Over::Live),
        1 => Just(Over::Several),
        1 => Just(Over::Ring),
        2 => (0..9usize).prop_map(Over::Tour),
        3 => (0..Sample::ALL.len(), vec((any::<Index>(), any::<u8>()), 0..6)).prop_map(|(of, changes)| Over::File(of, changes)),
    ]
}

/// The screen, and the live capture that can grow.
fn screen(over: &Over, size: (u16, u16)) -> (Screen, Option<Wire>) {
    match over {
        Over::Live => {
            let mut wire = Wire::upgraded();
            wire.ticks(3);
            wire.say(UP, &frame(true, Opcode::Ping, Some([1, 2, 3, 4]), &[b'a'; 126]));
            wire.say(DOWN, &[0x81, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
            let screen = Screen::live(&wire, size);
            wire.connection.reset(DOWN, Time(1));
            (screen, None)
        }
        Over::Several => {
            let (wire, _) = several();
            (Screen::live(&wire, size), Some(wire))
        }
        Over::Tour(at) => {
            let (wire, _) = several();
            let mut screen = Screen::live(&wire, size);
            let tour = Arc::new(Tour::built_in().expect("a tour"));
            screen.app.start_tour(TourStart { tour, at: *at, done: BTreeSet::new() });
            (screen, Some(wire))
        }
        Over::Ring => {
            let mut wire = Wire::ring(64 * 1024).upgrade([""; 2]);
            wire.ticks(300);
            (Screen::live(&wire, size), Some(wire))
        }
        Over::File(of, changes) => {
            let mut bytes = Sample::ALL[*of].bytes.to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("changed");
            fs::write(&path, bytes).expect("written");
            match import::open(&path) {
                Ok((_, loader)) => loader.run(&AtomicBool::new(false)),
                // Its first bytes are no capture any more.
                Err(_) => fs::write(&path, Sample::ALL[*of].bytes).expect("written"),
            }
            (Screen::file(&path, ImportOptions::default(), size), None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..cases(48) })]

    #[test]
    fn no_size_no_key_and_no_capture_makes_it_panic(over in over(), size in size(), steps in vec(step(), 0..24)) {
        let (mut screen, mut wire) = screen(&over, size);
        for step in steps {
            match step {
                Step::Key(code, modifiers) => screen.app.key(KeyEvent::new(code, modifiers)),
                Step::Mouse(kind, column, row) => {
                    screen.app.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
                }
                Step::Resize(width, height) => screen.resize((width, height)),
                Step::Ticks(count) => {
                    if let Some(wire) = &mut wire {
                        wire.ticks(count);
                    }
                    screen.app.refresh();
                }
                Step::Paste(text) => screen.app.paste(&text),
            }
            screen.read_pastes();
            let text = screen.text();
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
        }
    }
}
