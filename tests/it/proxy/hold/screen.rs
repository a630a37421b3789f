//! The panel of held messages, the prompts and the end of the program, in a terminal.

use super::*;
use crate::support::program::run;
use crate::support::terminal::Terminal;

/// A proxy on a screen, and both ends of a connection through it.
fn shown(rule: &str, (rows, columns): (u16, u16)) -> (Terminal, TcpStream, TcpStream, tempfile::TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("ws://{}", listener.local_addr().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["proxy", &target, "--listen", "127.0.0.1:0", "--hold", rule, "--discard"];
    let mut terminal = Terminal::sized(&arguments, folder.path(), rows, columns);
    // The screen without records shows the rule.
    terminal.expect(&format!("shows the hold rule {rule}"));
    terminal.expect(" → ws://");
    let text = terminal.text();
    let (before, _) = text.split_once(" → ws://").expect("the title");
    let address = before.rsplit(' ').next().expect("an address").to_owned();
    let mut client = patient(TcpStream::connect(&address).expect("a connection"));
    client.write_all(bare_request("/", &address).as_bytes()).expect("written");
    let mut server = patient(listener.accept().expect("a connection").0);
    read_head(&mut server);
    server.write_all(RESPONSE.as_bytes()).expect("written");
    read_head(&mut client);
    (terminal, client, server, folder)
}

#[test]
fn messages_are_edited_dropped_and_sent_from_the_panel() {
    let (mut terminal, mut client, mut server, folder) = shown("op == text and dir == c2s", (36, 120));
    client.write_all(&text("hello")).expect("written");
    terminal.expect("1 held");
    terminal.press("b");
    terminal.expect("op == text and dir == c2s");
    terminal.expect("record 3 · text");
    // A message as text, then with its header as text and as hex, and back.
    terminal.press("e");
    terminal.expect("Send in its place");
    terminal.press("\t");
    terminal.expect("/frame op=text fin=1 mask=1 text hello");
    terminal.press("\t");
    terminal.expect("/frame op=text fin=1 mask=1 hex 68656c6c6f");
    terminal.press("\t");
    terminal.wait_until("the text", |screen| screen.contents().lines().any(|line| line.trim() == "hello"));
    terminal.press("!\r");
    assert_eq!(read_frame(&mut server), (0x81, b"hello!".to_vec()));
    terminal.expect("nothing held");
    client.write_all(&[text("two"), text("three")].concat()).expect("written");
    terminal.expect("2 held · 1 hold rule");
    terminal.press("x");
    terminal.expect("1 held · 1 hold rule");
    terminal.press("s");
    assert_eq!(read_frame(&mut server), (0x81, b"three".to_vec()));
    terminal.expect("nothing held · 1 hold rule");
    // Another rule; a wrong one stays with carets.
    terminal.press("a");
    terminal.expect("Hold messages that match");
    terminal.press("op == pingg\r");
    terminal.expect("^^^^^");
    terminal.press("\x7f\r");
    terminal.expect("nothing held · 2 hold rules");
    client.write_all(&frame(true, Opcode::Ping, Some(KEY), b"p")).expect("written");
    terminal.expect("1 held · 2 hold rules");
    // The help of the panel lists all its keys, and returns to it.
    terminal.press("?");
    terminal.expect("Here: Hold");
    terminal.press("!");
    terminal.expect("1 held · 2 hold rules");
    terminal.press("z");
    terminal.expect("this key does nothing here");
    terminal.press("S");
    assert_eq!(read_frame(&mut server), (0x89, b"p".to_vec()));
    terminal.expect("nothing held · 2 hold rules");
    terminal.press("\x1b");
    terminal.expect("q quit");
    // Frames that nobody sent, to both sides.
    terminal.press("I");
    terminal.expect("Send to the server of connection 1");
    terminal.press("/pong up\r");
    assert_eq!(read_frame(&mut server), (0x8a, b"up".to_vec()));
    terminal.press("\t");
    terminal.expect("Send to the client of connection 1");
    terminal.press("/frame op=3 text down\r");
    assert_eq!(read_frame(&mut client), (0x83, b"down".to_vec()));
    // A file is read in the background; one that does not exist is refused at once.
    let path = folder.path().join("message");
    std::fs::write(&path, "from a file").expect("written");
    terminal.press("/file none\r");
    terminal.expect("cannot read none");
    terminal.press(&format!("\x15/file {}\r", path.display()));
    assert_eq!(read_frame(&mut client), (0x81, b"from a file".to_vec()));
    terminal.press("\x1b");
    terminal.expect("q quit");
    terminal.press("q");
    terminal.expect("Quitting deletes");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn the_arrow_of_a_held_message_does_not_reach_the_other_side() {
    let (mut terminal, mut client, mut server, _folder) = shown("op == text", (60, 200));
    client.write_all(&text("late")).expect("written");
    terminal.wait_until("an arrow without a head", |screen| {
        screen.contents().lines().any(|line| line.contains("‖ held  text  late") && !line.contains('►'))
    });
    terminal.press("bs");
    assert_eq!(read_frame(&mut server), (0x81, b"late".to_vec()));
    terminal.wait_until("a whole arrow", |screen| {
        screen.contents().lines().any(|line| line.contains(" text  late ") && line.contains('►'))
    });
    terminal.press("\x1b");
    terminal.expect("q quit");
    terminal.press("q");
    terminal.expect("Quitting deletes");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn what_waits_to_be_sent_is_shown_until_it_has_gone() {
    let (mut terminal, mut client, mut server, _folder) = shown("text contains \"held\"", (24, 80));
    let fragment = frame(false, Opcode::Text, Some(KEY), b"begun");
    // Without a rule, bytes pass as they arrive.
    terminal.press("b\x1b[Bx");
    terminal.expect("nothing held · 0 hold rules");
    terminal.press("\x1b");
    terminal.expect("q quit");
    // With nothing to choose from, the key asks for a rule at once.
    terminal.press("b");
    terminal.expect("Hold messages that match");
    terminal.press("\x1b");
    terminal.expect("q quit");
    client.write_all(&fragment).expect("written");
    assert_eq!(read(&mut server, fragment.len()), fragment);
    terminal.expect("begun");
    terminal.press("I");
    // An empty line sends nothing.
    for line in ["mine", "", "other"] {
        terminal.press(&format!("{line}\r"));
    }
    terminal.expect("2 to send");
    terminal.press("\x1b");
    terminal.expect("q quit");
    terminal.press("b");
    terminal.expect("nothing held · 2 to send · 0 hold rules");
    terminal.press("\x1b[Bx");
    terminal.expect("nothing held · 1 to send · 0 hold rules");
    let last = frame(true, Opcode::Continuation, Some(KEY), b".");
    client.write_all(&last).expect("written");
    assert_eq!(read(&mut server, last.len()), last);
    assert_eq!(read_frame(&mut server), (0x81, b"mine".to_vec()));
    terminal.expect("nothing held · 0 hold rules");
    // A message after a held one has a sign of its own.
    terminal.press("aop == text\r");
    terminal.expect("nothing held · 1 hold rule");
    client.write_all(&[text("held"), frame(true, Opcode::Binary, Some(KEY), b"after")].concat()).expect("written");
    terminal.wait_until("both signs", |screen| {
        let has = |sign: &str, kind: &str| {
            screen.contents().lines().any(|line| line.contains(sign) && line.contains(&format!(" {kind} ")))
        };
        has("‖", "text") && has("¦", "binary")
    });
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(read_frame(&mut server), (0x81, b"held".to_vec()));
    terminal.end();
}

#[test]
fn a_signal_sends_on_what_is_held() {
    let (mut terminal, mut client, mut server, _folder) = shown("op == text", (20, 60));
    client.write_all(&text("late")).expect("written");
    terminal.expect("1 held");
    terminal.press("b");
    terminal.expect("1 held · 1 hold rule");
    terminal.press("e");
    terminal.expect("Enter send · Esc close");
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(read_frame(&mut server), (0x81, b"late".to_vec()));
    terminal.end();
}

#[test]
fn a_wrong_rule_has_carets() {
    let (status, _, errors) = run(&["proxy", "ws://127.0.0.1:1", "--hold", "op == tex"]);
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("^^^"), "{errors}");
}

#[test]
fn without_a_screen_messages_are_held_until_the_program_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("ws://{}", listener.local_addr().expect("an address"));
    let rule = "op == text and dir == c2s";
    let mut program = Program::run(&["proxy", &target, "--listen", "127.0.0.1:0", "--hold", rule]);
    let address = program.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut client = patient(TcpStream::connect(&address).expect("a connection"));
    client.write_all(bare_request("/", &address).as_bytes()).expect("written");
    let mut server = patient(listener.accept().expect("a connection").0);
    read_head(&mut server);
    server.write_all(RESPONSE.as_bytes()).expect("written");
    read_head(&mut client);
    let ping = frame(true, Opcode::Ping, Some([1, 2, 3, 4]), b"p");
    client.write_all(&[text("late"), ping].concat()).expect("written");
    // The record of a held message is printed at once.
    program.wait_for("the text", 0, |record| record["opcode_name"] == "text");
    assert_eq!(read_frame(&mut server), (0x89, b"p".to_vec()));
    program.stop();
    assert_eq!(read_frame(&mut server), (0x81, b"late".to_vec()));
}
