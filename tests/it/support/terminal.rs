//! The built program in a pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a terminal.
pub struct Terminal {
    pub parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn std::io::Write + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    /// Until it is closed.
    pub master: Option<Box<dyn MasterPty + Send>>,
    /// Everything that was written to the terminal.
    pub raw: Vec<u8>,
    /// The answer to the question for the background colour, if the terminal answers at once.
    pub answer: Option<&'static str>,
}

const DARK: &str = "\x1b]11;rgb:0000/0000/0000\x1b\\";

impl Terminal {
    pub fn start(command: CommandBuilder, rows: u16, columns: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let input = pair.master.take_writer().expect("a writer");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (Ok(rows), Ok(columns)) = (rows.try_into(), columns.try_into()) else { panic!("a size") };
        Self {
            parser: vt100::Parser::new(rows, columns, 0),
            output,
            input,
            child,
            master: Some(pair.master),
            raw: Vec::new(),
            answer: Some(DARK),
        }
    }

    pub fn program(arguments: &[&str], folder: &Path) -> Self {
        Self::sized(arguments, folder, 36, 120)
    }

    pub fn sized(arguments: &[&str], folder: &Path, rows: u16, columns: u16) -> Self {
        Self::start(Self::command(arguments, folder), rows, columns)
    }

    /// With further variables of the environment.
    pub fn with_env(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Self::command(arguments, folder);
        variables.iter().for_each(|(name, value)| command.env(name, value));
        Self::start(command, 36, 120)
    }

    fn command(arguments: &[&str], folder: &Path) -> CommandBuilder {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_framescope"));
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env("HOME", folder);
        command.env("XDG_CACHE_HOME", folder.join("cache"));
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.env("TMPDIR", folder);
        command.env_remove("NO_COLOR");
        command
    }

    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads until the screen fits.
    pub fn wait_until(&mut self, what: &str, fits: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !fits(self.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(e) => panic!("{what}: {e}; the screen:\n{}", self.text()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.parser.process(bytes);
        if let Some(answer) = self.answer
            && bytes.windows(4).any(|w| w == b"\x1b]11")
        {
            self.press(answer);
        }
    }

    pub fn expect(&mut self, text: &str) {
        self.wait_until(&format!("{text:?} does not appear"), |screen| screen.contents().contains(text));
    }

    /// Reads until nothing is drawn for a while.
    pub fn settle(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(300)) {
            self.take(&bytes);
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).expect("the program reads");
        self.input.flush().expect("the program reads");
    }

    /// Waits for the end and for the last of the output; the exit code.
    pub fn end(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end; the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        };
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_secs(5)) {
            self.take(&bytes);
        }
        status.exit_code()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.child.process_id().and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
        rustix::process::kill_process(pid.expect("a process"), signal).expect("it runs");
    }

    /// Closes the terminal's window: the system says SIGHUP, and whatever is written fails.
    pub fn close(&mut self) {
        // The thread that reads ends with the next piece of output, and with it the last handle.
        self.output = channel().1;
        self.input = Box::new(std::io::sink());
        self.master = None;
    }

    pub fn assert_restored(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pasting is as before");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is released");
        #[cfg(unix)]
        if let Some(settings) = self.master.as_ref().and_then(|master| master.get_termios()) {
            use nix_flags::{ECHO, ICANON};
            let local = settings.local_flags.bits();
            assert!(local & ECHO != 0 && local & ICANON != 0, "typing is echoed again, by the line");
        }
    }
}

/// Local flags of termios on Linux.
mod nix_flags {
    pub const ICANON: u32 = 0o2;
    pub const ECHO: u32 = 0o10;
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The files below a folder whose names contain that.
pub fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, name));
        } else if path.to_string_lossy().contains(name) {
            found.push(path);
        }
    }
    found
}
