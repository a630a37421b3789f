use super::*;
use crate::proto::direction::Direction;
use proptest::prelude::*;

#[test]
fn the_first_acceptable_offer_is_accepted_with_its_limits() {
    let negotiated =
        |offer: &str| DeflateParams::negotiate(&Extensions::parse(offer.as_bytes())).map(|params| params.to_string());
    let accepted = |offer: &str, answer: &str| assert_eq!(negotiated(offer).as_deref(), Some(answer), "{offer}");
    accepted("permessage-deflate", "permessage-deflate");
    accepted("permessage-deflate; client_max_window_bits", "permessage-deflate");
    accepted("foo, permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10");
    for one in ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=9"] {
        accepted(&format!("permessage-deflate; {one}"), &format!("permessage-deflate; {one}"));
    }
    // RFC 7692 §7.1.3: a client that prefers a small window but accepts any.
    accepted(
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; server_max_window_bits=10",
    );
    accepted("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate");
    accepted(
        "permessage-deflate; mux=1, permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover",
    );
    for declined in [
        "",
        "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_max_window_bits=08",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; =;",
        "permessage-deflate;",
    ] {
        assert_eq!(negotiated(declined), None, "{declined}");
    }
}

#[test]
fn the_valid_parameters_of_an_invalid_response_are_read() {
    let response = single(
        "permessage-deflate; server_max_window_bits=99; client_no_context_takeover; mux; client_no_context_takeover",
    );
    let params = DeflateParams { client_no_context_takeover: true, ..Default::default() };
    assert!(DeflateParams::read(&response).is_err());
    assert_eq!(DeflateParams::read_leniently(&response), params);
    assert_eq!((params.takeover(Direction::ClientToServer), params.takeover(Direction::ServerToClient)), (false, true));
}

fn names(value: &str) -> Vec<String> {
    Extensions::parse(value.as_bytes()).list.into_iter().map(|e| e.name).collect()
}

fn single(value: &str) -> Extension {
    let all = Extensions::parse(value.as_bytes());
    assert_eq!((all.list.len(), all.malformed), (1, None), "{value}");
    all.list.into_iter().next().expect("one")
}

#[test]
fn offers_of_browsers() {
    let chrome = single("permessage-deflate; client_max_window_bits");
    assert!(chrome.is_deflate());
    assert_eq!(chrome.span, 0..42);
    assert_eq!(chrome.params.len(), 1);
    assert_eq!((chrome.params[0].name.as_str(), &chrome.params[0].value), ("client_max_window_bits", &None));
    assert_eq!(chrome.params[0].span, 20..42);
    assert_eq!(
        DeflateOffer::read(&chrome),
        Ok(DeflateOffer { client_max_window_bits: Some(None), ..Default::default() })
    );
}

#[test]
fn values_quoted_strings_and_lists() {
    let all = Extensions::parse(b"foo; a=1 ;b = \"two\" , ,bar;c=\"t\\h\\ree\"");
    assert_eq!(all.malformed, None);
    let parsed: Vec<_> = all
        .list
        .iter()
        .map(|e| (e.name.as_str(), e.params.iter().map(|p| p.value.as_deref()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(parsed, [("foo", vec![Some("1"), Some("two")]), ("bar", vec![Some("three")])]);
}

#[test]
fn a_syntax_error_has_its_position() {
    let cases: [(&str, Range<usize>, &[&str]); 11] = [
        ("", 0..0, &[]),
        (" ,, ", 0..4, &[]),
        ("a; ", 3..3, &["a"]),
        ("a;;b", 2..4, &["a"]),
        ("a b, c", 2..3, &["a", "c"]),
        ("a;b=", 4..4, &["a"]),
        ("a;b=\"x", 4..6, &["a"]),
        ("a;b=\"x\\", 4..7, &["a"]),
        ("a;b=\"\"", 4..6, &["a"]),
        ("a;b=\"x y\", c", 4..9, &["a", "c"]),
        ("=, c", 0..1, &["c"]),
    ];
    for (value, span, list) in cases {
        let all = Extensions::parse(value.as_bytes());
        assert_eq!(all.malformed.map(|m| m.span), Some(span), "{value}");
        assert_eq!(names(value), list, "{value}");
    }
}

#[test]
fn spans_count_from_the_start_of_the_head() {
    let head = b"GET / HTTP/1.1\r\nSec-WebSocket-Extensions: a\r\nsec-websocket-extensions:b; c\r\n\r\n";
    let all = Extensions::of(&Head::read(head));
    let texts: Vec<_> = all.list.iter().map(|e| &head[e.span.clone()]).collect();
    assert_eq!(texts, [&b"a"[..], b"b; c"]);
    assert_eq!(Extensions::of(&Head::read(b"GET / HTTP/1.1\r\n\r\n")), Extensions::default());
}

#[test]
fn parameters_of_section_7_1() {
    use ParamFaultKind::{NoValue, Repeated, Unknown, Value, WindowBits};
    let offer = |params: &str| DeflateOffer::read(&single(&format!("permessage-deflate{params}")));
    let response = |params: &str| DeflateParams::read(&single(&format!("permessage-deflate{params}")));
    assert_eq!(offer(""), Ok(DeflateOffer::default()));
    assert_eq!(
        offer("; client_max_window_bits=10; server_max_window_bits=\"8\"; server_no_context_takeover"),
        Ok(DeflateOffer {
            server_no_context_takeover: true,
            client_no_context_takeover: false,
            server_max_window_bits: Some(8),
            client_max_window_bits: Some(Some(10)),
        })
    );
    assert_eq!(
        response("; client_no_context_takeover; client_max_window_bits=15"),
        Ok(DeflateParams { client_no_context_takeover: true, client_max_window_bits: Some(15), ..Default::default() })
    );
    let wrong = [
        ("; x", Unknown),
        ("; server_no_context_takeover=1", Value),
        ("; server_max_window_bits", NoValue),
        ("; server_max_window_bits=7", WindowBits),
        ("; server_max_window_bits=16", WindowBits),
        ("; server_max_window_bits=08", WindowBits),
        ("; server_max_window_bits=\"+8\"", WindowBits),
        ("; client_max_window_bits=300", WindowBits),
        ("; client_no_context_takeover; client_no_context_takeover", Repeated),
    ];
    for (params, kind) in wrong {
        assert_eq!(offer(params).map_err(|f| f.kind), Err(kind), "{params}");
        assert_eq!(response(params).map_err(|f| f.kind), Err(kind), "{params}");
    }
    assert_eq!(response("; client_max_window_bits").map_err(|f| f.kind), Err(NoValue));
}

#[test]
fn responses_that_an_offer_allows() {
    let fits = |offer: &str, response: &str| {
        let offer = DeflateOffer::read(&single(&format!("permessage-deflate{offer}"))).expect("an offer");
        let params = DeflateParams::read(&single(&format!("permessage-deflate{response}"))).expect("parameters");
        offer.allows(&params).map_err(|(name, _)| name)
    };
    assert_eq!(fits("", ""), Ok(()));
    assert_eq!(fits("", "; server_no_context_takeover; server_max_window_bits=9"), Ok(()));
    assert_eq!(fits("", "; client_no_context_takeover"), Ok(()));
    assert_eq!(fits("; client_max_window_bits", ""), Ok(()));
    assert_eq!(fits("; client_max_window_bits=9", "; client_max_window_bits=9"), Ok(()));
    assert_eq!(fits("; client_max_window_bits=9", "; client_max_window_bits=10"), Err("client_max_window_bits"));
    assert_eq!(fits("", "; client_max_window_bits=9"), Err("client_max_window_bits"));
    assert_eq!(fits("; server_max_window_bits=9", "; server_max_window_bits=8"), Ok(()));
    assert_eq!(fits("; server_max_window_bits=9", "; server_max_window_bits=10"), Err("server_max_window_bits"));
    assert_eq!(fits("; server_max_window_bits=9", ""), Err("server_max_window_bits"));
    assert_eq!(fits("; server_no_context_takeover", ""), Err("server_no_context_takeover"));
}

proptest! {
    #[test]
    fn any_value_has_a_reading(value in proptest::collection::vec(prop_oneof![
        Just(b','), Just(b';'), Just(b'='), Just(b'"'), Just(b'\\'), Just(b' '), Just(b'a'), any::<u8>(),
    ], 0..40)) {
        let all = Extensions::parse(&value);
        for extension in &all.list {
            prop_assert!(extension.span.end <= value.len());
            prop_assert!(value[extension.span.clone()].starts_with(extension.name.as_bytes()));
            let _ = (DeflateOffer::read(extension), DeflateParams::read(extension));
        }
        if let Some(malformed) = all.malformed {
            prop_assert!(malformed.span.start <= malformed.span.end && malformed.span.end <= value.len());
        }
    }
}
