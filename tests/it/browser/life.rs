//! Losing the server, waiting for it, and connecting again.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{in_each_browser, wait_for_open};
use crate::support::browser::Page;
use crate::support::program::Program;

in_each_browser! {
    the_page_comes_back_with_the_path_that_was_chosen_meanwhile
    a_path_that_is_chosen_while_closing_waits
}

fn sentence(page: &mut impl Page) -> String {
    page.text("#sentence")
}

fn the_page_comes_back_with_the_path_that_was_chosen_meanwhile<P: Page>() {
    let program = Program::start(&["--interval", "3600s"]);
    let url = program.url.clone();
    let mut page = P::open(&url);
    wait_for_open(&mut page, "/ticker");
    // The waits that the page announces, as they begin.
    page.eval(
        "(() => { window.waits = []; let last = 0; new MutationObserver(() => {
            const wait = Number((/in ([\\d.]+) s/.exec(document.querySelector('#aside').textContent) || [])[1] || 0);
            if (wait > last) window.waits.push(Math.round(wait));
            last = wait;
        }).observe(document.querySelector('#aside'), {childList: true, characterData: true, subtree: true}); })()",
    );
    page.eval(
        "(() => { window.said = []; new MutationObserver(() => window.said.push(document.querySelector('#sentence').textContent))
            .observe(document.querySelector('#sentence'), {childList: true, characterData: true, subtree: true}); })()",
    );
    program.stop();
    page.wait_for_text("#sentence", "The server closed the connection (close code 1001");
    page.wait_for("window.waits.length >= 4");
    assert_eq!(page.eval("JSON.stringify(window.waits.slice(0, 4))"), "[1,2,5,5]");
    assert!(sentence(&mut page).starts_with("No connection to the server"), "{}", sentence(&mut page));
    let log = page.text("#log");
    assert!(log.contains("no WebSocket connection was made") && !log.contains("code 1006 no Close"), "{log}");

    // Nothing listens: the user stops the attempts, and nothing says that the user closed a connection.
    page.click("#disconnect");
    page.wait_for_text("#sentence", "The last attempt made no connection.");
    page.wait_for("document.querySelector('#aside').textContent === ''");
    // Nothing was open, so nothing closes.
    assert_eq!(page.eval("window.said.slice(window.said.findIndex(s => s.startsWith('No connection'))).filter(s => s.startsWith('Closing'))"), json!([]));
    page.click("#connect");
    page.wait_for_text("#aside", "trying again");

    // The page connects at once when it becomes visible: it does not wait for five seconds.
    page.wait_for("window.waits.slice(4).length >= 2");
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    page.click("#path-echo");
    page.wait_for_text("#aside", "trying again in");
    let program = Program::start_on(address, &[]);
    let begun = Instant::now();
    page.eval("document.dispatchEvent(new Event('visibilitychange'))");
    wait_for_open(&mut page, "/echo");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(page.eval("document.querySelector('#pause').hidden"), true, "there are no answers to pause");
    program.stop();
}

/// A relay to a server, which can hold back what clients send.
struct Relay {
    address: SocketAddr,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Relay {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let held = Arc::<(Mutex<bool>, Condvar)>::default();
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(server) else { return };
                let (mut down, mut back) =
                    (upstream.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut down, &mut back);
                    let _ = back.shutdown(Shutdown::Both);
                });
                let held = Arc::clone(&shared);
                std::thread::spawn(move || Self::forward(client, upstream, &held));
            }
        });
        Self { address, held }
    }

    fn forward(mut client: TcpStream, mut upstream: TcpStream, held: &(Mutex<bool>, Condvar)) {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = client.read(&mut buffer) {
            let waiting = held.0.lock().expect("no panic");
            drop(held.1.wait_while(waiting, |held| *held).expect("no panic"));
            if upstream.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = upstream.shutdown(Shutdown::Both);
    }

    fn hold(&self, held: bool) {
        *self.held.0.lock().expect("no panic") = held;
        self.held.1.notify_all();
    }
}

fn a_path_that_is_chosen_while_closing_waits<P: Page>() {
    let program = Program::start(&["--interval", "3600s"]);
    let server = program.url.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address");
    let relay = Relay::to(server);
    let mut page = P::open(&format!("http://{}/", relay.address));
    wait_for_open(&mut page, "/ticker");
    // The server does not see the Close, so it does not answer it.
    relay.hold(true);
    page.click("#disconnect");
    page.wait_for_text("#state", "CLOSING");
    page.wait_for_text("#sentence", "waits for the server’s Close");
    page.click("#path-echo");
    page.wait_for_text("#sentence", "Connect waits for the server’s Close");
    page.wait_for_text("#sentence", "/echo");
    assert!(!page.text("#url").contains("/echo"));
    relay.hold(false);
    wait_for_open(&mut page, "/echo");
    program.stop();
}
