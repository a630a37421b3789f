//! The background colour of the terminal: the question, and the answer among the keys.
//!
//! crossterm does not know the answer (xterm's OSC 11) and yields its bytes as keys. [`AnswerFilter`] takes them out of the events,
//! whenever they come, so that nothing waits for the answer and no key is lost.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use xterm_color::Color;

use super::event::Event;
use super::theme::ThemeName;

/// Asks the terminal for its background colour. A terminal that does not know the question ignores it.
pub const QUESTION: &str = "\x1b]11;?\x07";

/// What the answer begins with; the colour follows, then [`ENDS`].
const BEGINNING: &str = "\x1b]11;";

/// What the answer ends with: BEL or ST.
const ENDS: [&str; 2] = ["\x07", "\x1b\\"];

/// The longest colour that is read, in characters; usual is `rgb:ffff/ffff/ffff`.
const MAX_COLOUR: usize = 40;

/// How long an Esc waits: it usually is the key.
const ESC_HELD: Duration = Duration::from_millis(50);

/// How long a part of an answer waits for its rest, which a slow connection may delay.
const PART_HELD: Duration = Duration::from_millis(500);

/// Takes the answer out of the events of the terminal.
#[derive(Debug)]
pub struct AnswerFilter {
    /// Events that may be the beginning of the answer, and the characters that they represent.
    held: Vec<TerminalEvent>,
    text: String,
    /// Whether an Esc alone may be the first part of the answer. It is, if the terminal's answer arrives in two reads.
    esc_may_begin: bool,
}

/// What a text is, compared with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    No,
    Beginning,
    Answer(ThemeName),
}

impl AnswerFilter {
    /// A filter for a terminal that `is_asked` for its background colour.
    pub const fn new(is_asked: bool) -> Self {
        Self { held: Vec::new(), text: String::new(), esc_may_begin: is_asked }
    }

    /// How long to wait for the events that follow the held ones, before [`Self::release`]; `None` if no event is held.
    pub fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(if self.text == "\x1b" { ESC_HELD } else { PART_HELD })
    }

    /// Takes an event. Returns the events to act on, in their order.
    pub fn push(&mut self, event: TerminalEvent) -> Vec<Event> {
        let Some(text) = text_of(&event) else {
            // A resize comes from a signal, and can come between the parts of an answer.
            let before = if matches!(event, TerminalEvent::Resize(..)) { Vec::new() } else { self.release() };
            return before.into_iter().chain([Event::Terminal(event)]).collect();
        };
        let mut before = Vec::new();
        if !self.held.is_empty() && read(&format!("{}{text}", self.text)) == Match::No {
            before = self.release();
        }
        self.held.push(event);
        self.text.push_str(&text);
        match read(&self.text) {
            Match::Beginning if self.text != "\x1b" || self.esc_may_begin => before,
            Match::Answer(theme) => {
                self.held.clear();
                self.text.clear();
                self.esc_may_begin = false;
                before.push(Event::Background(theme));
                before
            }
            _ => {
                before.extend(self.release());
                before
            }
        }
    }

    /// Returns the held events: they are keys.
    pub fn release(&mut self) -> Vec<Event> {
        self.text.clear();
        self.held.drain(..).map(Event::Terminal).collect()
    }
}

/// The characters that crossterm read as this event, if they can be in the answer.
fn text_of(event: &TerminalEvent) -> Option<String> {
    let TerminalEvent::Key(KeyEvent { code, modifiers, .. }) = event else { return None };
    match (*code, modifiers.difference(KeyModifiers::SHIFT)) {
        (KeyCode::Esc, KeyModifiers::NONE) => Some("\x1b".to_owned()),
        (KeyCode::Char('g'), KeyModifiers::CONTROL) => Some("\x07".to_owned()),
        (KeyCode::Char(c), KeyModifiers::NONE) => Some(c.to_string()),
        (KeyCode::Char(c), KeyModifiers::ALT) => Some(format!("\x1b{c}")),
        _ => None,
    }
}

fn read(text: &str) -> Match {
    let Some(rest) = text.strip_prefix(BEGINNING) else {
        return if BEGINNING.starts_with(text) { Match::Beginning } else { Match::No };
    };
    let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/')).count();
    let (colour, end) = rest.split_at(len);
    if ENDS.contains(&end) {
        // An answer without a known colour is no key either.
        let is_light = Color::parse(colour.as_bytes()).is_ok_and(|colour| colour.perceived_lightness() > 0.5);
        return Match::Answer(if is_light { ThemeName::Light } else { ThemeName::Dark });
    }
    let may_go_on = len <= MAX_COLOUR && ENDS.iter().any(|whole| whole.starts_with(end));
    if may_go_on { Match::Beginning } else { Match::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The events that crossterm makes of an answer; with `split` the terminal's ESC and the next character come in two reads.
    fn keys(answer: &str, split: bool) -> Vec<TerminalEvent> {
        let mut keys = Vec::new();
        let mut chars = answer.chars();
        while let Some(c) = chars.next() {
            keys.push(match c {
                '\x1b' if split => KeyCode::Esc.into(),
                '\x1b' => KeyEvent::new(KeyCode::Char(chars.next().expect("a character")), KeyModifiers::ALT),
                '\x07' => KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL),
                c if c.is_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
                c => KeyCode::Char(c).into(),
            });
        }
        keys.into_iter().map(TerminalEvent::Key).collect()
    }

    /// Feeds events; returns the themes and the other events that come out.
    fn fed(events: impl IntoIterator<Item = TerminalEvent>) -> (Vec<ThemeName>, Vec<TerminalEvent>) {
        let mut filter = AnswerFilter::new(true);
        let mut out: Vec<Event> = events.into_iter().flat_map(|event| filter.push(event)).collect();
        out.extend(filter.release());
        let mut themes = Vec::new();
        let mut others = Vec::new();
        for event in out {
            match event {
                Event::Background(theme) => themes.push(theme),
                Event::Terminal(event) => others.push(event),
                other => panic!("{other:?}"),
            }
        }
        (themes, others)
    }

    #[test]
    fn an_answer_is_a_theme_and_no_key() {
        for (answer, theme) in [
            ("\x1b]11;rgb:0000/0000/0000\x1b\\", ThemeName::Dark),
            ("\x1b]11;rgb:ffff/FFFF/ffff\x07", ThemeName::Light),
            ("\x1b]11;rgba:fdfd/f6f6/e3e3/ffff\x1b\\", ThemeName::Light),
            ("\x1b]11;rgb:00/2b/36\x07", ThemeName::Dark),
            ("\x1b]11;unknown\x07", ThemeName::Dark),
        ] {
            for split in [false, true] {
                assert_eq!(fed(keys(answer, split)), (vec![theme], vec![]), "{answer:?} {split}");
            }
            let mut between = keys(answer, false);
            between.insert(5, TerminalEvent::Resize(80, 24));
            assert_eq!(fed(between), (vec![theme], vec![TerminalEvent::Resize(80, 24)]));
        }
    }

    #[test]
    fn keys_around_an_answer_are_kept_and_esc_waits_only_before_the_answer() {
        let control_c = TerminalEvent::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        let esc = TerminalEvent::Key(KeyCode::Esc.into());
        let typed = [keys("q1r", false), vec![esc.clone(), control_c.clone(), esc.clone()]].concat();
        let all = [typed.clone(), keys("\x1b]11;rgb:0/0/0\x07", false), typed.clone()].concat();
        assert_eq!(fed(all), (vec![ThemeName::Dark], [typed.clone(), typed].concat()));
        let mut filter = AnswerFilter::new(false);
        assert!(matches!(filter.push(esc.clone())[..], [Event::Terminal(_)]));
        filter.esc_may_begin = true;
        assert!(filter.push(esc.clone()).is_empty() && filter.patience() == Some(ESC_HELD));
        assert_eq!(filter.push(esc).len(), 1, "the first is a key, the second may begin the answer");
        assert_eq!(filter.release().len(), 1);
    }

    proptest! {
        /// Whatever is typed, and wherever an answer begins without its end, no key is lost and none changes its place.
        #[test]
        fn no_key_is_lost(typed in "([\x1b\x07\\\\\\]1;rgb:/f]|\x1b\\]11;){0,20}", at in any::<prop::sample::Index>()) {
            let keys = keys(&typed.replace('\x1b', "\x1bx").replace("\x1bx]", "\x1b]"), false);
            let (themes, others) = fed(keys.clone());
            if themes.is_empty() {
                prop_assert_eq!(&others, &keys);
            }
            let answer = self::keys("\x1b]11;rgb:ffff/ffff/ffff\x07", false);
            let at = at.index(keys.len() + 1);
            let (themes, _) = fed([&keys[..at], &answer, &keys[at..]].concat());
            prop_assert!(themes.contains(&ThemeName::Light), "the answer is found");
        }
    }
}
