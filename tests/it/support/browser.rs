//! A real Chromium, driven by the DevTools protocol.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// The longest time that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Browser {
    process: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next: u64,
    session: Option<String>,
    /// The address on which DevTools listen: `127.0.0.1:PORT`.
    place: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium and opens a page.
    pub fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().expect("a profile folder");
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "--remote-allow-origins=*"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts; install the Debian package chromium");
        let address = devtools_address(&profile.path().join("DevToolsActivePort"));
        let place = address.trim_start_matches("ws://").split('/').next().unwrap_or_default().to_owned();
        let (socket, _) = tungstenite::connect(address).expect("DevTools answer");
        let mut browser = Self { process, socket, next: 0, session: None, place, _profile: profile };
        browser.visit(url);
        browser
    }

    /// Opens another page, to which later calls refer; returns its target identifier.
    pub fn visit(&mut self, url: &str) -> String {
        self.session = None;
        let target = self.call("Target.createTarget", &json!({ "url": url }))["targetId"].clone();
        self.attach(target.as_str().expect("a target"))
    }

    /// Returns to a page that was opened before: later calls refer to it.
    pub fn attach(&mut self, target: &str) -> String {
        self.session = None;
        let attached = self.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        target.to_owned()
    }

    /// Opens the DevTools that come with Chromium, over a page or over nothing.
    pub fn devtools(&mut self, inspected: Option<&str>) -> String {
        let over = inspected.map(|target| format!("?ws={}/devtools/page/{target}", self.place)).unwrap_or_default();
        self.visit(&format!("devtools://devtools/bundled/devtools_app.html{over}"))
    }

    /// Loads another address in the same page.
    pub fn navigate(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
    }

    /// Evaluates an expression in the page and waits for its promise.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", &params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page.
    pub fn wait_for(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(&format!("Boolean({expression})")) != json!(true) {
            assert!(Instant::now() < deadline, "{expression} did not become true");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks an element.
    pub fn click(&mut self, selector: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        self.eval(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Puts a value into a form field as typing does.
    pub fn fill(&mut self, selector: &str, value: &str) {
        self.eval(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.value = {value:?};
               e.dispatchEvent(new Event('input', {{bubbles: true}}));
               e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
        ));
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let mut request = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(request.to_string())).expect("DevTools listen");
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "{method} is not answered");
            let Message::Text(text) = self.socket.read().expect("DevTools answer") else { continue };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == json!(self.next) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Chromium writes the port and path of its DevTools into a file.
fn devtools_address(file: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = std::fs::read_to_string(file)
            && let Some((port, path)) = text.trim().split_once('\n')
        {
            return format!("ws://127.0.0.1:{port}{path}");
        }
        assert!(Instant::now() < deadline, "chromium does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}
