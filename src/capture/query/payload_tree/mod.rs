//! Payloads as trees: JSON indented, MessagePack and CBOR in the diagnostic notation of RFC 8949 §8, which is that of JSON with
//! `h'…'` for bytes and `tag(…)` for tags. Keys keep their order, and duplicate keys are all shown. All text is safe for a terminal.
//!
//! Protocols above WebSocket are recognized by the subprotocol, the request target and the content.

mod binary;
mod context;
mod engine_io;
mod error;
mod graphql;
mod json;
mod json_documents;
mod protobuf;
mod signalr;
mod socket_io;
mod tree;

pub use self::context::PayloadContext;
pub use self::error::{FormatError, PayloadTreeError};
pub use self::tree::{Tree, TreeFormat, TreeLine};

/// The longest payload that is read, in bytes.
pub const MAX_BYTES: u64 = 256 * 1024;

/// Reads a payload as a tree, in every format in which it is one, the likeliest first. Binary payloads may be valid in several.
///
/// # Errors
/// If it is a tree in no format.
pub fn read(bytes: &[u8], context: &PayloadContext<'_>) -> Result<Vec<Tree>, PayloadTreeError> {
    if bytes.is_empty() {
        return Err(PayloadTreeError::Empty);
    }
    let json = json::read(bytes);
    let mut trees: Vec<Tree> =
        [graphql::read, engine_io::read].iter().filter_map(|read| read(bytes, context)).collect();
    trees.extend(signalr::read(bytes));
    if context.is_text {
        let why = json.map(|tree| trees.push(tree)).err();
        if trees.is_empty() {
            trees.extend(json_documents::read(bytes));
        }
        return match why {
            Some(why) if trees.is_empty() => Err(PayloadTreeError::Text(why)),
            _ => Ok(trees),
        };
    }
    let (message_pack, cbor, protobuf) = (binary::message_pack(bytes), binary::cbor(bytes), protobuf::read(bytes));
    if let (true, Err(_), Err(message_pack), Err(cbor), Err(protobuf)) =
        (trees.is_empty(), &json, &message_pack, &cbor, &protobuf)
    {
        let (message_pack, cbor, protobuf) = (message_pack.clone(), cbor.clone(), protobuf.clone());
        return Err(PayloadTreeError::Binary { message_pack, cbor, protobuf });
    }
    trees.extend(json.into_iter().chain(message_pack).chain(cbor));
    match protobuf {
        Ok(tree) if context.subprotocol().contains("proto") => trees.insert(0, tree),
        Ok(tree) => trees.push(tree),
        Err(_) => {}
    }
    Ok(trees)
}

#[cfg(test)]
mod tests;
