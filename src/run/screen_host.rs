//! What the screen asks of the program: the page, the demo client and exports.

use std::thread::{Builder, JoinHandle};

use super::export_job;
use super::live::LineSender;
use super::tour_file::TourFile;
use crate::capture::store::Capture;
use crate::capture::store::output::OutputError;
use crate::export;
use crate::net::PageServer;
use crate::net::demo::{self, Behaviour, DemoHandle};
use crate::script::InputLine;
use crate::tui::event::{Remote, Report};
use crate::tui::host::{ExportRequest, Host, HostError};
use crate::tui::picture_request::FileRequest;
use crate::tui::state::tour::{TourProgress, TourStart};

/// The program around the screen.
pub struct ScreenHost {
    /// The address of the server; `None` if a file is inspected.
    server: Option<PageServer>,
    demo: Option<DemoHandle>,
    /// The steps of the tour, and the learner's progress.
    tour: TourFile,
    /// Whether pastes are read as if permessage-deflate was negotiated.
    deflate: bool,
    remote: Remote,
    /// Sends the lines that the user types.
    lines: Option<Box<dyn LineSender>>,
    /// The threads that write files.
    writers: Vec<JoinHandle<()>>,
}

impl ScreenHost {
    /// The host of a screen. `demo` is a running demo client. With `deflate`, pastes are read as if permessage-deflate was negotiated.
    pub fn new(
        server: Option<PageServer>,
        demo: Option<DemoHandle>,
        tour: TourFile,
        deflate: bool,
        remote: &Remote,
    ) -> Self {
        Self { server, demo, tour, deflate, remote: remote.clone(), lines: None, writers: Vec::new() }
    }

    /// The same for a source that sends the lines that the user types.
    pub fn with_lines(mut self, lines: Option<Box<dyn LineSender>>) -> Self {
        self.lines = lines;
        self
    }
}

impl Host for ScreenHost {
    fn open_browser(&mut self) -> Result<String, HostError> {
        open_page(self.server.ok_or(HostError::NoServer)?)
    }

    fn toggle_demo(&mut self) -> Result<String, HostError> {
        let server = self.server.ok_or(HostError::NoServer)?;
        match self.demo.take().filter(DemoHandle::is_running) {
            Some(running) => {
                // The closing handshake takes time.
                let remote = self.remote.clone();
                let stop = move || {
                    let report = match running.stop() {
                        Ok(()) => Report::Succeeded("the demo client has closed its connection".to_owned()),
                        Err(e) => Report::Refused(e.to_string()),
                    };
                    remote.report(report);
                };
                background("stop-demo", &self.remote, Report::Refused, stop);
                Ok("the demo client is closing its connection".to_owned())
            }
            None => {
                self.demo = Some(demo::start(server, Behaviour::Page).map_err(HostError::Demo)?);
                Ok("the demo client is connecting; d stops it".to_owned())
            }
        }
    }

    fn send_line(&mut self, line: &InputLine) -> Result<(), HostError> {
        let lines = self.lines.as_ref().ok_or(HostError::NoServer)?;
        lines.send(line).map_err(HostError::Line)
    }

    fn start_tour(&mut self) -> Result<TourStart, HostError> {
        self.start_lesson()?;
        Ok(self.tour.start())
    }

    fn start_lesson(&mut self) -> Result<String, HostError> {
        let server = self.server.ok_or(HostError::NoServer)?;
        if self.demo.as_ref().is_some_and(DemoHandle::is_running) {
            return Ok("the demo client is running".to_owned());
        }
        self.demo = Some(demo::start(server, Behaviour::Lesson).map_err(HostError::Demo)?);
        Ok("the demo client repeats the lesson".to_owned())
    }

    fn keep_tour(&mut self, progress: TourProgress) {
        let keep = self.tour.keeper(progress);
        let remote = self.remote.clone();
        let write = move || {
            if let Err(e) = keep.write() {
                remote.report(Report::Refused(e.to_string()));
            }
        };
        self.writers.retain(|writer| !writer.is_finished());
        self.writers.extend(background("tour-file", &self.remote, Report::Refused, write));
    }

    fn export(&mut self, capture: Capture, request: ExportRequest, remote: Remote) {
        let deflate = self.deflate;
        let reports = remote.clone();
        background("export", &reports, Report::Failed, move || export_job::run(&capture, request, deflate, &remote));
    }

    fn write_file(&mut self, request: FileRequest, remote: Remote) {
        self.writers.retain(|writer| !writer.is_finished());
        let reports = remote.clone();
        let write = move || remote.report(written(request));
        self.writers.extend(background("write-file", &reports, Report::Refused, write));
    }
}

impl Drop for ScreenHost {
    /// Waits until the files are written that the user asked for.
    fn drop(&mut self) {
        for writer in self.writers.drain(..) {
            let _ = writer.join();
        }
    }
}

/// Runs `work` on a thread of its own. Without a free thread, reports that to the screen with `report`.
fn background(
    name: &str,
    remote: &Remote,
    report: impl FnOnce(String) -> Report,
    work: impl FnOnce() + Send + 'static,
) -> Option<JoinHandle<()>> {
    let spawned = Builder::new().name(name.to_owned()).spawn(work);
    spawned
        .map_err(|e| {
            remote.report(report(format!("cannot start a thread ({e}); close other programs, and try again")));
        })
        .ok()
}

/// Writes a file.
fn written(request: FileRequest) -> Report {
    match export::text_to_file(&request.text, &request.path, request.force) {
        Ok(()) => Report::Succeeded(format!("wrote {}", request.path.display())),
        Err(OutputError::Exists(_)) => Report::FileExists(request),
        Err(e) => Report::Refused(e.to_string()),
    }
}

/// Opens the page of a server in the default browser; returns what was done, in one line.
pub fn open_page(server: PageServer) -> Result<String, HostError> {
    let url = server.url();
    match open::that_detached(&url) {
        Ok(()) => Ok(format!("opened {url}")),
        Err(source) => Err(HostError::Browser { url, source }),
    }
}
