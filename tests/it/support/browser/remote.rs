//! A browser's process, and the JSON messages that drive it.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::PATIENCE;

pub struct Remote {
    process: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next: u64,
    _profile: tempfile::TempDir,
}

impl Remote {
    /// Starts a browser. `address` returns the address of its WebSocket, once the browser has written it into the profile.
    pub fn start(
        mut command: Command,
        package: &str,
        profile: tempfile::TempDir,
        address: impl Fn() -> Option<String>,
    ) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process =
            process.unwrap_or_else(|e| panic!("{program} does not start ({e}); install the Debian package {package}"));
        let deadline = Instant::now() + PATIENCE;
        let address = loop {
            if let Some(address) = address() {
                break address;
            }
            assert!(Instant::now() < deadline, "{program} does not start");
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        let (socket, _) = tungstenite::connect(address).expect("the browser answers");
        Self { process, socket, next: 0, _profile: profile }
    }

    /// Calls a method and returns its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.call_in(None, method, params)
    }

    /// The same in a session of the DevTools protocol.
    pub fn call_in(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.try_call_in(session, method, params).unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// The same; returns the error that the browser reports, if it does.
    pub fn try_call_in(&mut self, session: Option<&str>, method: &str, params: &Value) -> Result<Value, Value> {
        self.next += 1;
        let mut request = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = session {
            request["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(request.to_string())).expect("the browser listens");
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "{method} is not answered");
            let Message::Text(text) = self.socket.read().expect("the browser answers") else { continue };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == json!(self.next) {
                return answer.get("error").map_or_else(|| Ok(answer["result"].clone()), |error| Err(error.clone()));
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
