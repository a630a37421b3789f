//! What surrounds a WebSocket on its TCP connection, and bytes that a peer wrote in place of frames.

use crate::support::script::Script;
use crate::support::{REQUEST, RESPONSE, everything, exported, opened};
use framescope::export::Format;
use framescope::proto::dissected::Kind;
use framescope::proto::rules::{Finding, Rule};

const CLOSE_UP: &[u8] = &[0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x34, 0x12];
const CLOSE_DOWN: &[u8] = &[0x88, 2, 0x03, 0xe8];
const HELLO: &[u8] = b"\x81\x05hello";

/// The handshake, further bytes of the server, and both Closes.
fn down(bytes: &[u8]) -> Script {
    closed(Script::default().up(REQUEST).down(RESPONSE).down(bytes))
}

fn closed(talk: Script) -> Script {
    use framescope::proto::dissected::Direction::{ClientToServer, ServerToClient};
    talk.down(CLOSE_DOWN).up(CLOSE_UP).fin(ServerToClient).fin(ClientToServer)
}

/// The kinds of the records with bytes, and the findings. The same whole, byte by byte, and after each export.
fn read(talk: &Script) -> (Vec<Kind>, Vec<(u64, Finding)>) {
    let findings = talk.judged();
    let capture = talk.record(usize::MAX);
    for format in [Format::Pcapng, Format::Ndjson] {
        let again = opened(&exported(&capture, format));
        assert!(everything(&again) == everything(&capture), "{format:?}");
    }
    let records = everything(&capture).into_iter().map(|(record, _)| record);
    (records.filter(|record| record.wire_len > 0).map(|record| record.kind).collect(), findings)
}

/// The kinds of the records, and the rules with their records.
fn rules(talk: &Script) -> (Vec<Kind>, Vec<(u64, Rule)>) {
    let (kinds, findings) = read(talk);
    (kinds, findings.into_iter().map(|(no, finding)| (no, finding.rule)).collect())
}

#[test]
fn rfc_9110_section_9_3_6_a_websocket_in_a_tunnel() {
    use Kind::{Frame, Junk, Request, Response};
    let connect = "CONNECT echo.example:8080 HTTP/1.1\r\nHost: echo.example:8080\r\n\r\n";
    // Without port, and not that of the proxy.
    let request = REQUEST.replace("127.0.0.1:6455", "echo.example");
    let opened = ["HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n"];
    for opened in opened {
        let talk = closed(Script::default().up(connect).down(opened).up(&request).down(RESPONSE).down(HELLO));
        assert_eq!(rules(&talk), (vec![Request, Response, Request, Response, Frame, Frame, Frame], vec![]));
    }
    let early = closed(Script::default().up(connect).up(&request).down(opened[0]).down(RESPONSE).down(HELLO));
    assert_eq!(rules(&early).1, [], "the client does not wait for the tunnel");
    let authenticated = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno";
    let again =
        Script::default().up(connect).down(authenticated).up(connect).down(opened[0]).up(&request).down(RESPONSE);
    assert_eq!(rules(&closed(again.down(HELLO))).1, []);
    let nested = Script::default().up(connect).down(opened[0]).up(connect).down(opened[0]).up(&request).down(RESPONSE);
    assert_eq!(rules(&closed(nested.down(HELLO))).1, []);
    // TLS in the tunnel is not read.
    let tls = Script::default().up(connect).down(opened[0]).up(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03");
    assert_eq!(rules(&tls), (vec![Request, Response, Junk], vec![]));
    // Refused: what follows is still for the proxy, which is on this machine.
    let refused = Script::default().up(connect).down(authenticated).up(&request).down(RESPONSE);
    assert_eq!(rules(&closed(refused)).1, [(3, Rule::HostForeign), (3, Rule::HostPortMissing)]);
}

#[test]
fn a_websocket_after_a_header_of_the_proxy_protocol() {
    use Kind::{Frame, Junk, Request, Response};
    let request = REQUEST.replace("127.0.0.1:6455", "ws.example");
    let binary =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 187]].concat();
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec();
    for (header, version, ends) in [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec(), 1, "from 192.0.2.1:56324 to 192.0.2.2:443"),
        (b"PROXY UNKNOWN\r\n".to_vec(), 1, "without addresses"),
        (binary, 2, "from 192.0.2.1:56324 to 192.0.2.2:443"),
        (local, 2, "without addresses"),
    ] {
        let together = [&header, request.as_bytes()].concat();
        for talk in [Script::default().up(&header).up(&request), Script::default().up(together)] {
            let (kinds, findings) = read(&closed(talk.down(RESPONSE).down(HELLO)));
            assert_eq!(kinds, [Junk, Request, Response, Frame, Frame, Frame]);
            let [(1, finding)] = findings.as_slice() else { panic!("{findings:?}") };
            assert_eq!((finding.rule, finding.number), (Rule::ProxyHeader, Some(version)));
            assert_eq!(finding.text.as_deref(), Some(ends));
        }
    }
    // The address of the header is the one to which the client connected.
    let other = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 8443\r\n";
    let found = rules(&closed(Script::default().up(other).up(&request).down(RESPONSE))).1;
    assert_eq!(found, [(1, Rule::ProxyHeader), (2, Rule::HostPortMissing)]);
    // Each of several proxies writes its own, also into a tunnel.
    let two = ["PROXY UNKNOWN\r\n", other].concat();
    let found = rules(&closed(Script::default().up(&two).up(&request).down(RESPONSE))).1;
    assert_eq!(found, [(1, Rule::ProxyHeader), (2, Rule::ProxyHeader), (3, Rule::HostPortMissing)]);
    let connect = "CONNECT ws.example:443 HTTP/1.1\r\nHost: ws.example:443\r\n\r\n";
    let tunnel = Script::default().up(connect).down("HTTP/1.1 200 OK\r\n\r\n").up("PROXY UNKNOWN\r\n");
    let (kinds, found) = rules(&closed(tunnel.up(&request).down(RESPONSE)));
    assert_eq!(kinds[..5], [Request, Response, Junk, Request, Response]);
    assert_eq!(found, [(3, Rule::ProxyHeader)]);
    // Also before the response of the proxy.
    let early = Script::default().up(connect).up("PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n").down("HTTP/1.1 200 OK\r\n\r\n");
    let (kinds, found) = rules(&closed(early.up(&request).down(RESPONSE)));
    assert_eq!(kinds[..6], [Request, Response, Junk, Junk, Request, Response]);
    assert_eq!(found, [(3, Rule::ProxyHeader), (4, Rule::ProxyHeader)]);
}

#[test]
fn a_proxy_header_from_the_server_is_named_and_its_response_is_read() {
    use Kind::{Frame, Junk, Request, Response};
    let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec();
    let binary =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 187]].concat();
    let ends = "from 192.0.2.1:56324 to 192.0.2.2:443";
    for (header, version, text) in [
        (line.clone(), 1, ends),
        (binary, 2, ends),
        (b"PROXY UNKNOWN\r\n".to_vec(), 1, "without addresses"),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec(), 2, "without addresses"),
    ] {
        let together = [&header, RESPONSE.as_bytes()].concat();
        for talk in
            [Script::default().up(REQUEST).down(&header).down(RESPONSE), Script::default().up(REQUEST).down(together)]
        {
            let (kinds, findings) = read(&closed(talk.down(HELLO)));
            assert_eq!(kinds, [Request, Junk, Response, Frame, Frame, Frame]);
            let [(2, finding)] = findings.as_slice() else { panic!("{findings:?}") };
            assert_eq!((finding.rule, finding.number), (Rule::ProxyHeaderFromServer, Some(version)));
            assert_eq!(finding.text.as_deref(), Some(text));
        }
    }
    // From both sides, twice, before a refusal, and between responses.
    let both = closed(Script::default().up(&line).up(REQUEST).down(&line).down(&line).down(RESPONSE));
    let found = rules(&both).1;
    assert_eq!(found.iter().filter(|(_, rule)| *rule == Rule::ProxyHeaderFromServer).count(), 2, "{found:?}");
    let refused =
        Script::default().up(REQUEST).down([&line, &b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"[..]].concat());
    assert_eq!(rules(&closed(refused)).1[..2], [(2, Rule::ProxyHeaderFromServer), (3, Rule::StatusNot101)]);
    // The beginning of one is not a head of a response.
    for len in [3, 20, line.len() - 1] {
        let cut = Script::default()
            .up(REQUEST)
            .down(&line[..len])
            .fin(framescope::proto::dissected::Direction::ServerToClient);
        assert_eq!(rules(&cut), (vec![Request, Junk], vec![]), "{len}");
    }
}

#[test]
fn bytes_before_the_response_are_one_finding_and_frames_follow() {
    use Kind::{Frame, Junk, Request, Response};
    let long = "Notice: undefined variable\n".repeat(12);
    for (bytes, text) in [
        (&b"\xef\xbb\xbf"[..], "a byte order mark"),
        (b" \n", "white space"),
        (b"\0\0", "2 NUL bytes"),
        (b"<html>\r\n<p>hi</p>\r\n", "<html>"),
        (b"PHP Warning:  secret in /x.php\n", "PHP Warning"),
        (HELLO, "7 bytes that are no text"),
        (b"H", "H"),
        (b"with HTTP/1.1: fine\n\n", "with HTTP/1.1"),
        (long.as_bytes(), "Notice"),
    ] {
        let together = [bytes, RESPONSE.as_bytes(), HELLO].concat();
        for talk in [
            Script::default().up(REQUEST).down(bytes).down(RESPONSE).down(HELLO),
            Script::default().up(REQUEST).down(together),
        ] {
            let (kinds, findings) = read(&closed(talk));
            assert_eq!(kinds, [Request, Junk, Response, Frame, Frame, Frame], "{text}");
            let [(2, finding)] = findings.as_slice() else { panic!("{text}: {findings:?}") };
            assert_eq!((finding.rule, finding.text.as_deref()), (Rule::BytesBeforeResponse, Some(text)));
            assert_eq!(finding.span.map(|span| (span.start, span.end)), Some((0, bytes.len() as u64 * 8)));
        }
    }
    // Nothing is certain without the response, or if the bytes came before the request.
    let page = closed(Script::default().up(REQUEST).down("<html>HTTP/1.1 404 Not Found\r\n\r\n</html>"));
    assert_eq!(rules(&page).1, []);
    let far = closed(Script::default().up(REQUEST).down(vec![b'x'; 9000]).down(RESPONSE));
    assert_eq!(rules(&far).1, []);
    let late = closed(Script::default().down("the end of a body").up(REQUEST).down(RESPONSE).down(HELLO));
    assert!(rules(&late).1.iter().all(|(_, rule)| *rule != Rule::BytesBeforeResponse), "{:?}", rules(&late));
    // Empty lines are ignored.
    assert_eq!(rules(&closed(Script::default().up(REQUEST).down("\r\n").down(RESPONSE))).1, []);
}

#[test]
fn a_proxy_header_in_the_stream_is_one_finding() {
    use Kind::{Frame, Junk, Request, Response};
    let binary =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(), &[192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 187]].concat();
    for (header, version) in [(&b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"[..], 1), (&binary, 2)] {
        let (kinds, findings) = read(&down(&[header, HELLO].concat()));
        assert_eq!(kinds, [Request, Response, Junk, Frame, Frame, Frame]);
        let [(3, finding)] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.rule, finding.number), (Rule::ProxyHeaderInStream, Some(version)));
        assert_eq!(finding.text.as_deref(), Some("from 192.0.2.1:56324 to 192.0.2.2:443"));
        // After a frame, from the client, and before the response.
        assert_eq!(rules(&down(&[HELLO, header, HELLO].concat())).1, [(4, Rule::ProxyHeaderInStream)]);
        for talk in [
            Script::default().up(REQUEST).down(RESPONSE).up(header),
            Script::default().up(REQUEST).up(header).down(RESPONSE),
        ] {
            let found: Vec<Rule> = rules(&closed(talk)).1.into_iter().map(|(_, rule)| rule).collect();
            assert_eq!(found, [Rule::ProxyHeaderInStream]);
        }
    }
}

#[test]
fn a_websocket_after_another_response_on_the_same_connection() {
    for response in [
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 6\r\n\r\ndenied",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: /echo\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    ] {
        let talk = closed(Script::default().up(REQUEST).down(response).up(REQUEST).down(RESPONSE).down(HELLO));
        let (kinds, findings) = rules(&talk);
        use Kind::{Frame, Request, Response};
        assert_eq!(kinds, [Request, Response, Request, Response, Frame, Frame, Frame], "{response}");
        assert_eq!(findings, [(2, Rule::StatusNot101)], "{response}");
    }
}

#[test]
fn an_http_response_in_the_stream_is_one_finding() {
    use Kind::{Frame, Junk, Request, Response};
    for (response, status) in [
        ("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 11\r\n\r\nBad Request", 400),
        ("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", 426),
        ("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\x01\x02\x03\r\n0\r\n\r\n", 500),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>Bad Gateway \u{2013} sorry</html>", 502),
        ("HTTP/1.1 204\r\n\r\n", 204),
        (RESPONSE, 101),
    ] {
        let (kinds, findings) = read(&down(response.as_bytes()));
        assert_eq!(kinds, [Request, Response, Junk, Frame, Frame], "{status}");
        let [(3, finding)] = findings.as_slice() else { panic!("{status}: {findings:?}") };
        assert_eq!((finding.rule, finding.number), (Rule::HttpResponseInStream, Some(status)));
        assert_eq!(finding.text.as_deref(), response.lines().next());
        let bits = finding.span.map(|span| (span.start, span.end));
        assert_eq!(bits, Some((0, response.len() as u64 * 8)), "head and body");
        // After a frame, at the end of the stream, and cut inside.
        let after = rules(&down(&[HELLO, response.as_bytes(), HELLO].concat()));
        assert_eq!(after.1, [(4, Rule::HttpResponseInStream)]);
        for len in [20, response.len() / 2 + 10, response.len()] {
            let end =
                Script::default().up(REQUEST).down(RESPONSE).down(&response.as_bytes()[..len.min(response.len())]);
            let end = end.fin(framescope::proto::dissected::Direction::ServerToClient);
            assert_eq!(rules(&end).1, [(3, Rule::HttpResponseInStream)], "{status} cut after {len}");
        }
    }
    let gzip = b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00";
    let (kinds, findings) = rules(&down(gzip));
    assert_eq!((kinds.len(), findings), (4, vec![(4, Rule::HttpResponseInStream)]), "to the end of the stream");
}

#[test]
fn other_foreign_bytes_are_one_finding_each_and_frames_follow() {
    use Kind::{Frame, Junk, Request, Response};
    let long = "Notice: undefined variable\n".repeat(5_000);
    for (bytes, rule, text) in [
        (&b"\r\n"[..], Rule::LineBreakInStream, Some("a CR LF follows the head of the response")),
        (b"\n", Rule::LineBreakInStream, Some("an LF follows the head of the response")),
        (b"\r\n\r\n", Rule::LineBreakInStream, Some("4 bytes of CR and LF follow the head of the response")),
        (b"<html>\r\n<body>Error</body></html>", Rule::TextInStream, Some("<html>")),
        (b"{\"error\":\"no such room\"}", Rule::TextInStream, Some("{\"error\"")),
        (b"Bad", Rule::Rsv1Set, None),
        (b"\0", Rule::NulInStream, None),
        (&[0; 1001], Rule::NulInStream, None),
        (b"5\r\nab", Rule::TextInStream, Some("5")),
    ] {
        let (kinds, findings) = read(&down(&[bytes, HELLO].concat()));
        if rule == Rule::Rsv1Set {
            assert!(findings.iter().all(|(_, finding)| finding.rule != Rule::TextInStream), "too short to be certain");
            continue;
        }
        assert_eq!(kinds, [Request, Response, Junk, Frame, Frame, Frame], "{rule:?}");
        let [(3, finding)] = findings.as_slice() else { panic!("{rule:?}: {findings:?}") };
        assert_eq!((finding.rule, finding.text.as_deref()), (rule, text));
    }
    let (kinds, findings) = rules(&down(&[long.as_bytes(), HELLO].concat()));
    assert_eq!(findings, [(3, Rule::TextInStream)], "once, however many records");
    assert_eq!(kinds, [Request, Response, Junk, Junk, Junk, Frame, Frame, Frame]);
    let twice = rules(&down(&[HELLO, b"\r\n", HELLO, b"\r\n"].concat()));
    assert_eq!(twice.1, [(4, Rule::LineBreakInStream), (6, Rule::LineBreakInStream)], "a println after each frame");
    // The first record of TLS: nothing after it can be read.
    let tls = rules(&down(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00\x17\x03\x03\x00\x01\x81"));
    assert_eq!(tls.0, [Request, Response, Frame, Junk], "the client's Close comes before the end of the stream");
    assert_eq!(tls.1, [(4, Rule::TlsInStream)]);
}

#[test]
fn foreign_bytes_of_the_client() {
    let up = |bytes: &[u8]| closed(Script::default().up(REQUEST).down(RESPONSE).up(bytes));
    let request = rules(&up(b"POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"));
    assert_eq!(request.1, [(3, Rule::HttpRequestInStream)]);
    assert_eq!(rules(&up(b"hello, this is not masked\n")).1, [(4, Rule::TextInStream)]);
    // A line break after the request is in front of the first frame, before or after the response.
    let with_break = format!("{REQUEST}\r\n");
    for talk in
        [Script::default().up(&with_break).down(RESPONSE), Script::default().up(REQUEST).down(RESPONSE).up("\r\n")]
    {
        let (_, findings) = read(&closed(talk));
        let [(_, finding)] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.rule, Rule::LineBreakInStream);
        assert_eq!(finding.text.as_deref(), Some("a CR LF follows the head of the request"));
    }
}

#[test]
fn nothing_is_foreign_that_an_extension_or_an_open_message_explains() {
    let extension = "Sec-WebSocket-Extensions: x-foo";
    let with = |head: &str| head.replace("\r\n\r\n", &format!("\r\n{extension}\r\n\r\n"));
    let extended = |bytes: &[u8]| closed(Script::default().up(with(REQUEST)).down(with(RESPONSE)).down(bytes));
    let foreign = |talk: &Script| rules(talk).1.into_iter().any(|(_, rule)| rule.id().ends_with("-in-stream"));
    let fragment = [&[0x21, 0x20][..], &[b'a'; 0x20]].concat();
    assert!(!foreign(&extended(&fragment)) && !foreign(&extended(b"\r\n\x81\x05hello")));
    assert!(foreign(&extended(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")), "no extension explains that");
    let fragments = down(b"\x01\x01a\0\0\0\0\x80\x01b");
    assert_eq!(rules(&fragments).1, [(4, Rule::FragmentEmpty), (5, Rule::FragmentEmpty)]);
}
