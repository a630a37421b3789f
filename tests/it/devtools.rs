//! HAR and the DevTools of a real Chromium: their own importer reads ours, and we read what their own writer makes of real
//! traffic. The modules are those that come with Chromium, loaded as its Network panel loads them.

use std::path::Path;
use std::time::Duration;

use crate::support;
use crate::support::browser::{Chromium, Page as _};
use crate::support::program::Program;
use framescope::capture::import::samples::Sample;
use framescope::capture::store::Capture;
use framescope::export::Format;
use serde_json::{Value, json};

/// A capture without damage.
fn opened(bytes: &[u8]) -> Capture {
    undamaged(support::opened(bytes))
}

/// A capture file without damage.
fn load(path: &Path) -> Capture {
    undamaged(support::load(path))
}

fn undamaged(capture: Capture) -> Capture {
    assert_eq!(capture.trouble().reason(), None);
    capture
}

fn exported(capture: &Capture, format: Format) -> String {
    String::from_utf8(support::exported(capture, format)).expect("UTF-8")
}

/// What DevTools make of a HAR, a request each; and the HAR that they write about that.
const IMPORT: &str = r"(async har => {
    const { HARFormat, Importer, Log } = await import('./models/har/har.js');
    const root = new HARFormat.HARRoot(har);
    const requests = Importer.Importer.requestsFromHARLog(root.log);
    return {
        requests: requests.map(request => ({
            url: request.url(),
            type: request.resourceType().name(),
            method: request.requestMethod,
            status: request.statusCode,
            start: request.startTime,
            end: request.endTime,
            sent: request.requestHeaders().map(({ name, value }) => ({ name, value })),
            received: request.responseHeaders.map(({ name, value }) => ({ name, value })),
            frames: request.frames().map(({ time, text, opCode, type, mask }) => ({ time, text, opCode, type, mask })),
        })),
        written: JSON.stringify({ log: await Log.Log.build(requests, { sanitize: false }) }),
    };
})";

/// The HAR that DevTools write about what they have recorded.
const WRITE: &str = r"(async () => {
    const { Log } = await import('./models/har/har.js');
    const { NetworkLog } = await import('./models/logs/logs.js');
    return JSON.stringify({ log: await Log.Log.build(NetworkLog.NetworkLog.instance().requests(), { sanitize: false }) });
})()";

/// The data messages of a capture of unfragmented frames: type, time in microseconds, opcode, text or base64.
fn messages(capture: &Capture) -> Vec<(String, u64, u64, String)> {
    let lines = exported(capture, Format::Ndjson);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let data = lines.filter(|line| line["type"] == "frame" && line["opcode"].as_u64() < Some(8));
    data.map(|line| {
        let text = ["inflated", "inflated_data", "text", "data"].into_iter().find_map(|key| line[key].as_str());
        let time: jiff::Timestamp = line["time"].as_str().expect("a time").parse().expect("a time");
        let way = if line["dir"] == "c2s" { "send" } else { "receive" };
        let opcode = line["opcode"].as_u64().expect("an opcode");
        (way.to_owned(), time.as_microsecond() as u64, opcode, text.unwrap_or_default().to_owned())
    })
    .collect()
}

/// The same from the frames of a request, or from the messages of an entry.
fn told(frames: &Value, [text, opcode]: [&str; 2]) -> Vec<(String, u64, u64, String)> {
    let field = |frame: &Value, key: &str| frame[key].as_str().unwrap_or_default().to_owned();
    let frames = frames.as_array().expect("frames").iter();
    frames
        .map(|frame| {
            let micros = (frame["time"].as_f64().expect("a time") * 1e6).round() as u64;
            (field(frame, "type"), micros, frame[opcode].as_u64().expect("an opcode"), field(frame, text))
        })
        .collect()
}

#[test]
#[ignore = "needs Chromium (Debian package chromium)"]
fn devtools_import_what_we_export() {
    let mut devtools = Chromium::open("about:blank");
    devtools.devtools(None);
    devtools.wait_for("document.readyState === 'complete'");
    for name in ["ticker", "deflate", "fragments"] {
        let capture = opened(Sample::by_name(name).expect("a sample").bytes);
        let har = exported(&capture, Format::Har);
        let imported = devtools.eval(&format!("{IMPORT}({har})"));
        let requests = imported["requests"].as_array().expect("requests");
        let socket = requests.iter().find(|request| request["type"] == "websocket").expect("a WebSocket");
        let frames = told(&socket["frames"], ["text", "opCode"]);
        if name == "ticker" {
            assert_eq!(frames, messages(&capture), "nothing is compressed or fragmented");
        }
        let masks = socket["frames"].as_array().expect("frames").iter();
        assert!(masks.into_iter().all(|frame| frame["mask"] == (frame["type"] == "send")));
        let entries: Value = serde_json::from_str(&har).expect("JSON");
        let entries = entries["log"]["entries"].as_array().expect("entries");
        let written = entries.iter().find(|entry| entry["_resourceType"] == "websocket").expect("a WebSocket");
        assert_eq!(frames, told(&written["_webSocketMessages"], ["data", "opcode"]), "{name}");
        for (request, entry) in requests.iter().zip(entries) {
            assert_eq!(request["url"], entry["request"]["url"]);
            assert_eq!(request["method"], entry["request"]["method"]);
            assert_eq!(request["status"], entry["response"]["status"]);
            assert_eq!(request["sent"], entry["request"]["headers"]);
            assert_eq!(request["received"], entry["response"]["headers"]);
            let lasted = request["end"].as_f64().expect("an end") - request["start"].as_f64().expect("a start");
            assert!((lasted * 1e3 - entry["time"].as_f64().expect("a time")).abs() < 0.01, "{request}");
        }
        // What DevTools write about it in turn is somebody else's HAR.
        let again = opened(imported["written"].as_str().expect("a HAR").as_bytes());
        assert!(again.reconstructed().expect("marked").contains("HAR by WebInspector"));
        assert_eq!(messages(&again), frames, "{name}");
        assert_eq!(again.totals().findings, [0; 3], "{name}: nothing is invented");
    }
}

#[test]
#[ignore = "needs Chromium (Debian package chromium)"]
fn what_devtools_record_opens_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("live.pcapng");
    let mut program = Program::start(&["--interval", "50ms", "--write", path.to_str().expect("UTF-8")]);
    let mut page = Chromium::open("about:blank");
    let inspected = page.visit("about:blank");
    let devtools = page.devtools(Some(&inspected));
    // How many requests it knows; an exception until it has started.
    let known =
        "import('./models/logs/logs.js').then(l => l.NetworkLog.NetworkLog.instance().requests()).catch(() => null)";
    for attempt in 0.. {
        assert!(attempt < 500, "DevTools do not start");
        if page.eval(&format!("{known}.then(Array.isArray)")) == json!(true) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // Recording begins when the panel is connected to the page: a first visit is repeated until it is seen.
    page.attach(&inspected);
    let url = program.url.clone();
    for attempt in 0.. {
        assert!(attempt < 20, "DevTools record nothing");
        page.navigate(&url);
        page.wait_for("document.querySelector('#log')?.textContent.includes('client: echo 2')");
        page.attach(&devtools);
        let seen = page.eval(&format!("{known}.then(all => all.some(request => request.frames().length > 4))"));
        page.attach(&inspected);
        if seen == json!(true) {
            break;
        }
    }
    page.fill("#hex", "de ad be ef");
    page.click("#send-hex");
    program.wait_for("the bytes", 0, |r| r["data"] == "3q2+7w==" && r["dir"] == "c2s");
    page.click("#disconnect");
    page.wait_for("document.querySelector('#state').textContent.includes('CLOSED')");
    page.attach(&devtools);
    let written = page.eval(WRITE);
    program.stop();

    let har = opened(written.as_str().expect("a HAR").as_bytes());
    let wire = load(&path);
    assert_eq!(har.totals().findings, [0; 3], "nothing is invented: {}", exported(&har, Format::Hex));
    let bare = |all: Vec<(String, u64, u64, String)>| {
        all.into_iter().map(|(way, _, opcode, text)| (way, opcode, text)).collect::<Vec<_>>()
    };
    let (told, crossed) = (bare(messages(&har)), bare(messages(&wire)));
    assert!(told.contains(&("send".to_owned(), 2, "3q2+7w==".to_owned())), "{told:?}");
    let from = crossed.len() - told.len();
    let sorted = |mut all: Vec<_>| {
        all.sort();
        all
    };
    // A message and its answer cross on their way; per direction the order is the same.
    assert_eq!(sorted(told), sorted(crossed[from..].to_vec()));
}
