//! `decode`: the bit layout of pasted frames, without a connection.

mod layout;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use super::input::MAX_PASTE;
use super::paste_export::HANDSHAKE_ADDED;
use super::{export, stdio, theme_name};
use crate::cli::{Decode, ThemeArg};
use crate::export::{ExportOptions, Format, Progress};
use crate::pasted::{self, PasteOptions, Pasted};
use crate::picture::ThemeName;
use crate::proto::dissected::Kind;

/// The name of the input in errors about its capture.
const NAME: &str = "the input";

/// Runs `decode`: reads the input and prints its frames.
pub fn decode(args: &Decode, theme: ThemeArg) -> anyhow::Result<ExitCode> {
    if args.input.is_empty() && io::stdin().is_terminal() {
        stdio::say("decode: no input; give bytes, @FILE or -, such as: framescope decode 81 05 48 65 6c 6c 6f");
        return Ok(ExitCode::from(2));
    }
    let pasted = pasted::read(&input(&args.input)?, args.read_as)?;
    let format = if args.json { Some(Format::Ndjson) } else { args.to };
    let options = PasteOptions { deflate: args.deflate, ..PasteOptions::default() };
    let Some(format) = format else {
        let capture = pasted::to_capture(&pasted.content, Path::new(NAME), options)?;
        let page = layout::page(&pasted.recognized(), &capture, args.explain, args.deflate)?;
        stdio::print(page.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    stdio::say(pasted.recognized());
    print_as(&pasted, options, format, theme)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints in an export format.
fn print_as(pasted: &Pasted, options: PasteOptions, format: Format, theme: ThemeArg) -> anyhow::Result<()> {
    match format {
        // The input itself: the wire bytes of all frames, whatever their direction.
        Format::Wire if !stdio::stdout_is_terminal() => stdio::print(&pasted.content.bytes())?,
        Format::Pcapng => {
            let capture = pasted::to_capture(
                &pasted.content,
                Path::new(NAME),
                PasteOptions { invent_handshake: true, ..options },
            )?;
            export::to_stdout(&capture, Format::Pcapng, &ExportOptions::default(), &Progress::default())?;
            if capture.records(1..u64::MAX).iter().any(|record| record.kind == Kind::CutFrame && record.wire_len == 1) {
                stdio::say("the last byte begins a frame whose MASK is missing; it is written as sent by the server");
            }
            if !pasted.has_handshake() {
                stdio::say(HANDSHAKE_ADDED);
            }
        }
        format => {
            let capture = pasted::to_capture(&pasted.content, Path::new(NAME), options)?;
            let theme = theme_name(theme).unwrap_or(ThemeName::Light);
            let options = ExportOptions { theme, ..ExportOptions::default() };
            export::to_stdout(&capture, format, &options, &Progress::default())?;
        }
    }
    Ok(())
}

/// The bytes that the arguments name.
fn input(words: &[OsString]) -> anyhow::Result<Vec<u8>> {
    match words {
        [] => stdin(),
        [one] if one == "-" => stdin(),
        [one] if one.as_bytes().starts_with(b"@") => {
            let path = std::ffi::OsStr::from_bytes(&one.as_bytes()[1..]);
            let file = File::open(path).and_then(bounded);
            file.map_err(|e| anyhow::anyhow!("cannot read {path:?}: {e}; name a file after the @"))
        }
        words => Ok(words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' ')),
    }
}

fn stdin() -> anyhow::Result<Vec<u8>> {
    bounded(io::stdin().lock()).map_err(|e| anyhow::anyhow!("cannot read stdin: {e}; try @FILE"))
}

/// Reads to the end, which must come in time: a device has none.
fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_PASTE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PASTE {
        return Err(io::Error::other(format!("it is longer than {} MiB", MAX_PASTE >> 20)));
    }
    Ok(bytes)
}
