//! Shared by the modules: frames and handshakes, captures that a test records, files of other programs, a screen to type at,
//! and the built program.

pub mod browser;
mod captures;
mod cases;
pub mod encapsulation;
pub mod forms;
mod frames;
mod handshakes;
pub mod packet_program;
pub mod packets;
pub mod program;
mod recording;
pub mod schema;
mod screen;
pub mod script;
pub mod tcp;
pub mod terminal;
pub mod tls;
pub mod xml;

use framescope::proto::dissected::Direction;

pub use captures::{damage, everything, exported, load, opened, rules, sample, sample_path};
pub use cases::cases;
pub use frames::{any_frame, compressed_frame, deflated, frame};
pub use handshakes::{KEY, REQUEST, RESPONSE, bare_request, handshake, with_lines};
pub use recording::{Recording, START, Wire, several};
pub use screen::Screen;

pub const UP: Direction = Direction::ClientToServer;
pub const DOWN: Direction = Direction::ServerToClient;

/// Asks for permessage-deflate, or accepts it.
pub const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate";
