//! A real Chromium, driven by the DevTools protocol.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::remote::Remote;
use super::{PATIENCE, Page};

pub struct Chromium {
    remote: Remote,
    session: Option<String>,
    /// The address on which DevTools listen: `127.0.0.1:PORT`.
    place: String,
}

impl Chromium {
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
        // A page in the background draws nothing.
        self.call("Page.bringToFront", &json!({}));
        target.to_owned()
    }

    /// Opens the DevTools that come with Chromium, over a page or over nothing.
    pub fn devtools(&mut self, inspected: Option<&str>) -> String {
        let over = inspected.map(|target| format!("?ws={}/devtools/page/{target}", self.place)).unwrap_or_default();
        self.visit(&format!("devtools://devtools/bundled/devtools_app.html{over}"))
    }

    /// Turns JavaScript off for the page from its next load on.
    pub fn disable_scripts(&mut self) {
        self.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.remote.call_in(self.session.as_deref(), method, params)
    }
}

impl Chromium {
    /// Starts with a profile that trusts the authority of a certificate, and opens an address.
    pub fn trusting(url: &str, certificate: &Path) -> Self {
        Self::start(url, Self::profile_trusting(certificate), &[])
    }

    /// The same, through a proxy, also to loopback addresses.
    pub fn trusting_through(proxy: &str, url: &str, certificate: &Path) -> Self {
        let flags =
            [format!("--proxy-server={}", proxy.trim_end_matches('/')), "--proxy-bypass-list=<-loopback>".to_owned()];
        Self::start(url, Self::profile_trusting(certificate), &flags)
    }

    fn profile_trusting(certificate: &Path) -> tempfile::TempDir {
        let profile = tempfile::tempdir().expect("a profile folder");
        let store = profile.path().join(".pki/nssdb");
        std::fs::create_dir_all(&store).expect("a folder");
        let store = format!("sql:{}", store.display());
        let run = |command: &mut Command| {
            let output = command.output().expect("certutil (Debian package libnss3-tools)");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(Command::new("certutil").args(["-d", &store, "-N", "--empty-password"]));
        let add = ["-d", &store, "-A", "-t", "C,,", "-n", "framescope", "-i"];
        run(Command::new("certutil").args(add).arg(certificate));
        profile
    }

    fn start(url: &str, profile: tempfile::TempDir, flags: &[String]) -> Self {
        let mut command = Command::new("chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "--remote-allow-origins=*"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // There its own store of certificates is.
            .env("HOME", profile.path())
            .args(flags)
            .arg("about:blank");
        // Chromium writes the port and path of its DevTools into a file.
        let file = profile.path().join("DevToolsActivePort");
        let place = || {
            let text = std::fs::read_to_string(&file).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some((format!("127.0.0.1:{port}"), path.to_owned()))
        };
        let address = || place().map(|(place, path)| format!("ws://{place}{path}"));
        let remote = Remote::start(command, "chromium", profile, address);
        let (place, _) = place().expect("the file that was there");
        let mut chromium = Self { remote, session: None, place };
        chromium.visit(url);
        chromium
    }
}

impl Page for Chromium {
    fn open(url: &str) -> Self {
        Self::start(url, tempfile::tempdir().expect("a profile folder"), &[])
    }

    fn navigate(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
    }

    fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true });
        let deadline = Instant::now() + PATIENCE;
        let result = loop {
            match self.remote.try_call_in(self.session.as_deref(), "Runtime.evaluate", &params) {
                Ok(result) => break result,
                // Between two pages there is no place to evaluate in.
                Err(error) if error["message"].as_str().is_some_and(|words| words.contains("execution context")) => {
                    assert!(Instant::now() < deadline, "{expression}: {error}");
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{expression}: {error}"),
            }
        };
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    fn resize(&mut self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
    }

    fn press(&mut self, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &event);
        }
    }
}
