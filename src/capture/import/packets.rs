//! pcapng and pcap: from blocks to TCP segments, with their places in the file.

use std::fs::File;
use std::io::Seek as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::pcapng::{InterfaceDescriptionBlock, PcapNGOption};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{Block, Linktype, OptionCode, PcapBlockOwned, PcapError, create_reader};

use super::tcp::{Flags, Flows, Segment};
use crate::capture::comments::COMMENT_PREFIX;
use crate::capture::pcapng::{END_OF_CAPTURE, RECONSTRUCTED};
use crate::capture::store::Capture;
use crate::proto::time::Time;

/// The reader's buffer, in bytes; it grows for larger blocks.
const BUFFER: usize = 1024 * 1024;

/// The largest block that is read, in bytes.
const MAX_BLOCK: usize = 64 * 1024 * 1024;

/// How many packets are entered under one lock.
const BATCH: usize = 512;

/// Interface facts that a packet needs.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    /// Timestamp units per second.
    units: u64,
    /// Seconds to add.
    offset: i64,
}

/// Reads the file into the capture: everything before the first damage, and a line about that.
pub fn read(capture: &Capture, mut file: File, cancel: &AtomicBool) {
    let mut flows = Flows::new(capture.clone());
    let trouble = |what: String| capture.note_trouble(0, || what);
    let end = file.seek(std::io::SeekFrom::End(0)).unwrap_or(0);
    let _ = file.rewind();
    let mut reader = match create_reader(BUFFER, file) {
        Ok(reader) => reader,
        Err(e) => return trouble(format!("the file ends inside its header ({e:?})")),
    };
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut legacy = None;
    let mut buffer = BUFFER;
    let mut position = 0u64;
    let mut unread = 0u64;
    let mut packets = 0;
    while !cancel.load(Ordering::Relaxed) {
        let exhausted = reader.reader_exhausted();
        match reader.next() {
            Ok((len, block)) => {
                match &block {
                    PcapBlockOwned::NG(Block::SectionHeader(section)) => {
                        interfaces.clear();
                        let said = comments(&section.options);
                        if let Some(words) = said.iter().find_map(|comment| comment.strip_prefix(RECONSTRUCTED)) {
                            capture.set_reconstructed(words);
                        }
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                        interfaces.push(interface(description));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        if let Some(interface) = interfaces.get(packet.if_id as usize) {
                            let raw = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                            let time = time(raw, interface);
                            let seen = packet.packet_data();
                            let read = segment(interface.link, seen, position + 28, time, &comments(&packet.options));
                            match read {
                                Some(segment) => flows.take(segment),
                                None => unread += 1,
                            }
                        }
                    }
                    PcapBlockOwned::LegacyHeader(header) => {
                        legacy = Some((header.network, if header.is_nanosecond_precision() { 1 } else { 1000 }));
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        if let Some((link, scale)) = legacy {
                            let nanos = u64::from(packet.ts_sec) * 1_000_000_000 + u64::from(packet.ts_usec) * scale;
                            let seen = &packet.data[..packet.data.len().min(packet.caplen as usize)];
                            match segment(link, seen, position + 16, Time(nanos), &[]) {
                                Some(segment) => flows.take(segment),
                                None => unread += 1,
                            }
                        }
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                position += len as u64;
                reader.consume(len);
                packets += 1;
                if packets % BATCH == 0 {
                    flows.commit();
                }
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::BufferTooSmall) if buffer < MAX_BLOCK => {
                buffer *= 2;
                reader.grow(buffer);
            }
            Err(PcapError::Incomplete(_)) if !exhausted => {
                if reader.refill().is_err() {
                    trouble(format!("byte {position} of {end} cannot be read; what stands before it is shown"));
                    break;
                }
            }
            Err(PcapError::Incomplete(_) | PcapError::UnexpectedEof) => {
                trouble(format!(
                    "the file ends inside a block, at byte {position} of {end}; what stands before it is shown"
                ));
                break;
            }
            Err(_) => {
                trouble(format!("the file is damaged at byte {position} of {end}; what stands before it is shown"));
                break;
            }
        }
    }
    if let Some(held) = flows.finish() {
        trouble(held);
    }
    if unread > 0 && capture.is_empty() {
        trouble(format!("no TCP in {unread} packets that were read"));
    }
}

fn interface(description: &InterfaceDescriptionBlock<'_>) -> Interface {
    let units = match description.if_tsresol {
        binary if binary & 0x80 != 0 => 1u64.checked_shl(u32::from(binary & 0x7f)),
        decimal => 10u64.checked_pow(u32::from(decimal)),
    };
    Interface { link: description.linktype, units: units.unwrap_or(1_000_000), offset: description.if_tsoffset }
}

fn time(raw: u64, interface: &Interface) -> Time {
    let nanos = u128::from(raw) * 1_000_000_000 / u128::from(interface.units.max(1));
    let nanos = nanos as i128 + i128::from(interface.offset) * 1_000_000_000;
    Time(nanos.clamp(0, i128::from(u64::MAX)) as u64)
}

/// The comments on a packet.
fn comments<'a>(options: &'a [PcapNGOption<'_>]) -> Vec<&'a str> {
    options
        .iter()
        .filter(|option| option.code == OptionCode::Comment)
        .filter_map(|option| option.as_str().ok())
        .collect()
}

/// The TCP segment in a packet whose first byte stands at `position` in the file.
fn segment<'a>(link: Linktype, packet: &'a [u8], position: u64, time: Time, comments: &[&str]) -> Option<Segment<'a>> {
    let ip = match link {
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => packet,
        Linktype::NULL | Linktype::LOOP => packet.get(4..)?,
        Linktype::LINUX_SLL => packet.get(16..)?,
        Linktype::LINUX_SLL2 => packet.get(20..)?,
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(packet).ok()?.ether_payload()?.payload,
        _ => return None,
    };
    let sliced = LaxSlicedPacket::from_ip(ip).ok()?;
    let (source, destination): (IpAddr, IpAddr) = match sliced.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return None };
    let payload = tcp.payload();
    let at = position + (payload.as_ptr() as usize - packet.as_ptr() as usize) as u64;
    Some(Segment {
        source: SocketAddr::new(source, tcp.source_port()),
        destination: SocketAddr::new(destination, tcp.destination_port()),
        seq: tcp.sequence_number(),
        flags: Flags { syn: tcp.syn(), ack: tcp.ack(), fin: tcp.fin(), rst: tcp.rst() },
        payload,
        position: at,
        time,
        // The others are our findings.
        comment: comments.iter().find(|text| !text.starts_with(COMMENT_PREFIX)).map(|text| (*text).to_owned()),
        end_of_capture: payload.is_empty() && comments.contains(&END_OF_CAPTURE),
    })
}
