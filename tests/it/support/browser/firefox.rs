//! A real Firefox, driven by WebDriver BiDi, which is part of it: no further program is needed.

use std::process::Command;

use serde_json::{Value, json};

use super::Page;
use super::remote::Remote;

/// Settings that keep an empty profile quiet: no first-run pages, no requests of its own.
const PREFERENCES: &str = r#"user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("services.settings.server", "");
user_pref("extensions.update.enabled", false);
user_pref("browser.safebrowsing.update.enabled", false);
"#;

pub struct Firefox {
    remote: Remote,
    /// The identifier of the page.
    context: String,
}

impl Page for Firefox {
    fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().expect("a profile folder");
        std::fs::write(profile.path().join("user.js"), PREFERENCES).expect("written");
        let mut command = Command::new("firefox-esr");
        command.args(["--headless", "--no-remote", "--new-instance", "--remote-debugging-port", "0", "--profile"]);
        command.arg(profile.path()).arg("about:blank").env("MOZ_HEADLESS", "1");
        // Firefox writes the port into a file of the profile.
        let file = profile.path().join("WebDriverBiDiServer.json");
        let address = || {
            let server: Value = serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
            Some(format!("ws://{}:{}/session", server["ws_host"].as_str()?, server["ws_port"]))
        };
        let mut remote = Remote::start(command, "firefox-esr", profile, address);
        remote.call("session.new", &json!({ "capabilities": {} }));
        let context = remote.call("browsingContext.create", &json!({ "type": "tab" }))["context"].clone();
        let mut firefox = Self { remote, context: context.as_str().expect("a context").to_owned() };
        firefox.navigate(url);
        firefox
    }

    fn navigate(&mut self, url: &str) {
        let params = json!({ "context": self.context, "url": url, "wait": "interactive" });
        self.remote.call("browsingContext.navigate", &params);
    }

    fn eval(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": format!("(async () => JSON.stringify(await ({expression})))()"),
            "target": { "context": self.context },
            "awaitPromise": true,
            "userActivation": true,
        });
        let evaluated = self.remote.call("script.evaluate", &params);
        assert_eq!(evaluated["type"], "success", "{expression}: {evaluated}");
        // An expression without a value has no JSON.
        evaluated["result"]["value"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"))
    }

    fn resize(&mut self, width: u32, height: u32) {
        let params = json!({ "context": self.context, "viewport": { "width": width, "height": height } });
        self.remote.call("browsingContext.setViewport", &params);
    }

    fn press(&mut self, x: f64, y: f64) {
        let actions = json!([
            { "type": "pointerMove", "x": x.round(), "y": y.round() },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]);
        let pointer = json!({ "type": "pointer", "id": "mouse", "actions": actions });
        self.remote.call("input.performActions", &json!({ "context": self.context, "actions": [pointer] }));
    }
}
