//! Shared by the modules: frames and handshakes, captures with known bytes, and a screen to type at.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use framescope::capture::import::samples::Sample;
use framescope::capture::import::{self, ImportOptions};
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::export::{ExportOptions, Format, Progress, export};
use framescope::proto::dissected::{Direction, EndReason};
use framescope::proto::time::Time;
use framescope::tui::app::{App, Session};
use framescope::tui::host::FormatChoice;
use framescope::tui::keymap::Keymap;
use framescope::tui::theme::{Theme, ThemeName};
use framescope::tui::view;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub mod browser;
pub mod packets;
pub mod program;
pub mod schema;

pub const UP: Direction = Direction::ClientToServer;
pub const DOWN: Direction = Direction::ServerToClient;

/// 2026-11-22T19:30:00Z in nanoseconds.
const START: u64 = 1_795_375_800_000_000_000;

pub const REQUEST: &str = "GET /ticker HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nOrigin: http://127.0.0.1:6455\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A whole frame.
pub fn frame(fin: bool, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    FrameHead::new(fin, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
    wire
}

/// A whole frame that begins a message compressed with permessage-deflate: RSV1 is set.
pub fn compressed_frame(fin: bool, opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let head = FrameHead { rsv1: true, ..FrameHead::new(fin, opcode, key, payload.len() as u64) };
    head.encode_with(payload, &mut wire);
    wire
}

/// Any whole frame, with any opcode.
pub fn any_frame(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), 0u8..16, any::<[u8; 4]>(), vec(any::<u8>(), 0..200)).prop_map(move |(fin, opcode, key, payload)| {
        frame(fin, Opcode::from_wire(opcode), masked.then_some(key), &payload)
    })
}

/// A handshake's head with this extension, offered or accepted.
pub fn with_extension(head: &str, extension: &str) -> String {
    head.replacen("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {extension}\r\n\r\n"), 1)
}

/// Opens a capture file and reads it to its end.
pub fn load(path: &Path) -> Capture {
    let (capture, loader) = import::open(path).expect("a capture");
    loader.run(&AtomicBool::new(false));
    capture
}

/// A capture over a file with these bytes, read to its end. The file's name has no extension: its content shows its format.
pub fn opened(bytes: &[u8]) -> Capture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capture");
    std::fs::write(&path, bytes).expect("written");
    load(&path)
}

/// One of the captures that come with the program.
pub fn sample(name: &str) -> Capture {
    opened(Sample::by_name(name).expect("a sample").bytes)
}

/// The path of one of these captures in the repository.
pub fn sample_path(name: &str) -> String {
    format!("{}/assets/samples/{name}.pcapng", env!("CARGO_MANIFEST_DIR"))
}

/// Every kept record of a capture, with its bytes.
pub fn everything(capture: &Capture) -> Vec<(Record, Vec<u8>)> {
    let with_bytes = |record: Record| {
        let wire = capture.wire(&record, 0..u64::MAX).expect("the bytes of a record");
        (record, wire)
    };
    capture.records(1..u64::MAX).into_iter().map(with_bytes).collect()
}

/// A whole capture in a format.
pub fn exported(capture: &Capture, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    export(capture, format, &ExportOptions::default(), &mut out, &Progress::default()).expect("exported");
    out
}

/// A live capture with one connection that a test feeds.
pub struct Wire {
    pub recorder: Recorder,
    pub connection: ConnectionRecorder,
    clock: u64,
    _folder: tempfile::TempDir,
}

impl Wire {
    pub fn new() -> Self {
        Self::into(|path| Spool::keep(path, false).expect("a spool"))
    }

    /// Into a ring of that size, in bytes.
    pub fn ring(size: u64) -> Self {
        Self::into(|path| Spool::keep_ring(path, false, size).expect("a spool"))
    }

    fn into(spool: impl FnOnce(&Path) -> Spool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(spool(&folder.path().join("a.pcapng")));
        let address = |text: &str| text.parse().expect("an address");
        let connection = recorder.connection(address("127.0.0.1:50000"), address("127.0.0.1:6455"));
        Self { recorder, connection, clock: START, _folder: folder }
    }

    /// With a handshake.
    pub fn upgraded() -> Self {
        Self::new().upgrade()
    }

    /// The same with a handshake.
    pub fn upgrade(mut self) -> Self {
        self.say(UP, REQUEST.as_bytes());
        self.say(DOWN, RESPONSE.as_bytes());
        self
    }

    pub fn say(&mut self, direction: Direction, bytes: &[u8]) {
        self.connection.record(&[Chunk { direction, time: Time(self.clock), bytes }]);
        self.clock += 212_000;
    }

    pub fn wait(&mut self, nanos: u64) {
        self.clock += nanos;
    }

    pub fn text(&mut self, direction: Direction, text: &str) {
        let key = (direction == UP).then_some([0x37, 0xfa, 0x21, 0x3d ^ self.clock.to_le_bytes()[2]]);
        self.say(direction, &frame(true, Opcode::Text, key, text.as_bytes()));
    }

    /// `echo 0` and its answer, and so on.
    pub fn ticks(&mut self, n: usize) {
        for i in 0..n {
            self.wait(1_000_000_000);
            self.text(DOWN, &format!("echo {i}"));
            self.text(UP, &format!("client: echo {i}"));
        }
    }
}

/// Three connections: an open one, one that answered pings and was closed in order, and one that was reset.
pub fn several() -> (Wire, Vec<ConnectionRecorder>) {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    let capture = wire.recorder.capture().clone();
    let start = capture.record(1).expect("a record").time.0;
    let open = |port: u16| {
        let address = |port: u16| format!("127.0.0.1:{port}").parse().expect("an address");
        wire.recorder.connection(address(port), address(6455))
    };
    let (mut closed, mut torn) = (open(50_001), open(50_002));
    let mut at = start;
    let mut say = |connection: &mut ConnectionRecorder, direction, bytes: &[u8]| {
        at += 250_000_000;
        connection.record(&[Chunk { direction, time: Time(at), bytes }]);
    };
    let request = REQUEST.replace("dGhl", "dGhm").replace("/ticker", "/chat?room=\u{1b}[31m");
    say(&mut closed, UP, request.as_bytes());
    say(&mut closed, DOWN, RESPONSE.replace("s3pP", "s3qP").as_bytes());
    for n in 0..5u8 {
        say(&mut closed, DOWN, &frame(true, Opcode::Ping, None, &[n]));
        say(&mut closed, UP, &frame(true, Opcode::Pong, Some([9, 9, 9, n]), &[n]));
        say(&mut torn, UP, REQUEST.replace("dGhl", &format!("dGh{n}")).as_bytes());
    }
    say(&mut closed, UP, &frame(true, Opcode::Close, Some([9, 9, 8, 1]), &[0x03, 0xe8]));
    say(&mut closed, DOWN, &frame(true, Opcode::Close, None, &[0x03, 0xe8]));
    for direction in [DOWN, UP] {
        closed.end(direction, EndReason::Fin, Time(at));
    }
    torn.reset(DOWN, Time(at));
    wire.wait(3_000_000_000);
    wire.ticks(2);
    (wire, vec![closed, torn])
}

pub fn formats() -> Vec<FormatChoice> {
    [
        ("pcapng", "everything; opens in Wireshark"),
        ("ndjson", "one JSON object per record"),
        ("hex", "annotated hex dump"),
    ]
    .map(|(name, words)| FormatChoice { name: name.to_owned(), extension: name, words })
    .to_vec()
}

/// A screen without a terminal.
pub struct Screen {
    pub app: App,
    pub size: (u16, u16),
}

impl Screen {
    /// Over a live capture.
    pub fn live(wire: &Wire, size: (u16, u16)) -> Self {
        let setting = Session { url: Some("http://127.0.0.1:6455/".to_owned()), file: None, formats: formats() };
        Self::over(wire, setting, size)
    }

    fn over(wire: &Wire, setting: Session, size: (u16, u16)) -> Self {
        let keymap = Keymap::built_in().expect("a good table");
        let mut app = App::new(wire.recorder.capture().clone(), setting, Theme::named(ThemeName::Dark), keymap, true);
        app.resize(Rect::new(0, 0, size.0, size.1));
        Self { app, size }
    }

    /// Over one of the captures that come with the program.
    pub fn sample(name: &str, size: (u16, u16)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(format!("{name}.pcapng"));
        Sample::by_name(name).expect("a sample").unpack(&path).expect("unpacked");
        Self::file(&path, ImportOptions::default(), size)
    }

    /// Over a file.
    pub fn file(path: &Path, options: ImportOptions, size: (u16, u16)) -> Self {
        let (capture, loader) = import::open_with(path, options).expect("a capture");
        loader.run(&AtomicBool::new(false));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let setting = Session { url: None, file: name, formats: formats() };
        let keymap = Keymap::built_in().expect("a good table");
        let mut app = App::new(capture, setting, Theme::named(ThemeName::Dark), keymap, false);
        app.resize(Rect::new(0, 0, size.0, size.1));
        Self { app, size }
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.app.resize(Rect::new(0, 0, size.0, size.1));
    }

    /// Presses keys by name, or characters.
    pub fn press(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            let (name, modifiers) = match key.strip_prefix("ctrl-") {
                Some(name) => (name, KeyModifiers::CONTROL),
                None => (*key, KeyModifiers::NONE),
            };
            let code = match name {
                "up" => KeyCode::Up,
                "down" => KeyCode::Down,
                "left" => KeyCode::Left,
                "right" => KeyCode::Right,
                "tab" => KeyCode::Tab,
                "backtab" => KeyCode::BackTab,
                "enter" => KeyCode::Enter,
                "esc" => KeyCode::Esc,
                "home" => KeyCode::Home,
                "end" => KeyCode::End,
                "pgup" => KeyCode::PageUp,
                "pgdn" => KeyCode::PageDown,
                "space" => KeyCode::Char(' '),
                other => KeyCode::Char(other.chars().next().expect("a key")),
            };
            self.app.key(KeyEvent::new(code, modifiers));
        }
        self
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.app.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        self
    }

    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        view::render(&self.app, &mut buffer);
        buffer
    }

    /// The text on the screen, line by line.
    pub fn text(&self) -> String {
        let buffer = self.buffer();
        let mut text = String::new();
        for y in 0..self.size.1 {
            let mut line = String::new();
            let mut x = 0;
            while x < self.size.0 {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (unicode_width::UnicodeWidthStr::width(symbol) as u16).max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The lines that contain a text.
    pub fn lines_with(&self, what: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
    }
}
