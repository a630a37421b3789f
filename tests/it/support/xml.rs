//! Reading XML that the program writes.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The texts of all elements with that name, in a well-formed document.
pub fn texts(document: &str, element: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut texts, mut is_inside) = (Vec::new(), false);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => return texts,
            Event::Start(start) if start.name().as_ref() == element => {
                is_inside = true;
                texts.push(String::new());
            }
            Event::End(_) => is_inside = false,
            Event::Text(text) if is_inside => texts.last_mut().expect("one").push_str(&text),
            Event::GeneralRef(name) if is_inside => {
                let text = quick_xml::escape::resolve_predefined_entity(&name).expect("a predefined entity");
                texts.last_mut().expect("one").push_str(text);
            }
            _ => {}
        }
    }
}
