//! Conversations that are recorded in chunks of any size.

use super::{DOWN, Recording, UP, load};
use framescope::capture::store::Capture;
use framescope::proto::dissected::{Direction, EndReason};
use framescope::proto::rules::Finding;

pub enum Step {
    Say(Direction, Vec<u8>),
    End(Direction),
    Reset(Direction),
    /// The next steps are those of another connection.
    Connect,
}

/// A conversation. The end of the capture cuts off what it does not end.
#[derive(Default)]
pub struct Script(Vec<Step>);

impl Script {
    pub fn up(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Say(UP, bytes.as_ref().to_vec()))
    }

    pub fn down(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Say(DOWN, bytes.as_ref().to_vec()))
    }

    pub fn fin(self, direction: Direction) -> Self {
        self.then(Step::End(direction))
    }

    pub fn rst(self, by: Direction) -> Self {
        self.then(Step::Reset(by))
    }

    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// The findings with their records' numbers, if it is recorded in chunks of `piece` bytes.
    pub fn findings(&self, piece: usize) -> Vec<(u64, Finding)> {
        self.record(piece).findings(0, usize::MAX)
    }

    /// The capture of it, recorded in chunks of `piece` bytes. The file has the same findings.
    pub fn record(&self, piece: usize) -> Capture {
        let mut recording = Recording::new();
        let mut port = 50_001;
        let mut connection = recording.connect(port);
        for step in &self.0 {
            match step {
                Step::Say(direction, bytes) => recording.say_in_pieces(&connection, *direction, bytes, piece),
                Step::End(direction) => connection.end(*direction, EndReason::Fin, recording.now()),
                Step::Reset(by) => connection.reset(*by, recording.now()),
                Step::Connect => {
                    port += 1;
                    connection = recording.connect(port);
                }
            }
        }
        drop(connection);
        let live = recording.capture().clone();
        assert_eq!(load(live.path()).findings(0, usize::MAX), live.findings(0, usize::MAX), "opened again");
        live
    }

    /// The findings, which do not depend on the size of the chunks.
    pub fn judged(&self) -> Vec<(u64, Finding)> {
        let whole = self.findings(usize::MAX);
        assert_eq!(self.findings(1), whole, "byte by byte");
        assert_eq!(self.findings(7), whole, "in pieces of seven");
        whole
    }

    /// The bytes of the steps that send some.
    pub fn sent(&self) -> Vec<&[u8]> {
        let steps = self.0.iter();
        steps.filter_map(|step| if let Step::Say(_, bytes) = step { Some(bytes.as_slice()) } else { None }).collect()
    }
}
