//! Connections between the same addresses at the same time, in different virtual networks.
//!
//! A packet's networks alone do not say to which connection it belongs: a mirror port can tag the packets of one direction only, and
//! capture a packet once in each of several networks. So connections are kept apart only if each was seen to begin, in a network of
//! its own and with its own sequence number.

use std::collections::HashMap;

use super::flow::Flow;
use super::segment::Segment;
use super::{Ends, Flows};
use crate::capture::import::link::VirtualNetwork;
use crate::proto::dissected::Direction;

/// The most connections between two addresses that are kept apart. The next one replaces the latest.
const MAX_TENANTS: usize = 64;

/// How far from the next expected byte a segment of a connection can be, in bytes.
const MAX_DISTANCE: u32 = 64 << 20;

/// The connections between two addresses.
#[derive(Default)]
pub(super) struct Tenants {
    /// Positions in [`Flows`], of the latest connection in each network.
    flows: Vec<usize>,
    /// The connection whose packets were in a network, for each of the two senders.
    known: HashMap<(bool, VirtualNetwork), usize>,
}

impl Tenants {
    /// Positions in [`Flows`] have changed: these are the new ones, by the old ones. `None` for those that were removed.
    pub(super) fn move_to(&mut self, places: &[Option<usize>]) {
        self.flows = self.flows.iter().filter_map(|i| places[*i]).collect();
        self.known.retain(|_, i| places[*i].map(|place| *i = place).is_some());
    }
}

impl Flows {
    /// Returns true if a SYN with another sequence number than that of a flow begins a connection beside it.
    pub(super) fn begins_beside(&self, i: usize, ends: &Ends, segment: &Segment<'_>) -> bool {
        let flow = &self.flows[i];
        let is_over = flow.sides.iter().all(|side| side.ended);
        let is_full = self.tenants.get(ends).is_some_and(|tenants| tenants.flows.len() == MAX_TENANTS);
        flow.begun && flow.network != segment.tcp.network && !is_over && !is_full
    }

    /// Keeps the flow `new` apart from the others between the same addresses: from `other`, if there were none.
    pub(super) fn keep_apart(&mut self, ends: Ends, other: usize, new: usize) {
        let tenants = self.tenants.entry(ends).or_default();
        if tenants.flows.is_empty() {
            tenants.flows.push(other);
        }
        tenants.flows.push(new);
        for i in [other, new] {
            self.flows[i].is_beside_others = true;
        }
    }

    /// Puts the flow `new` in the place of `old`, which has ended.
    pub(super) fn replace(&mut self, ends: &Ends, old: usize, new: usize) {
        let Some(tenants) = self.tenants.get_mut(ends).filter(|_| self.flows[old].is_beside_others) else { return };
        tenants.flows.iter_mut().filter(|i| **i == old).for_each(|i| *i = new);
        tenants.known.retain(|_, i| *i != old);
        self.flows[new].is_beside_others = true;
    }

    /// Of the flows between two addresses, the one to which a segment belongs; `latest` if that is not certain.
    #[cold]
    pub(super) fn tenant(&mut self, ends: &Ends, latest: usize, segment: &Segment<'_>) -> usize {
        let Some(tenants) = self.tenants.get_mut(ends) else { return latest };
        let tcp = &segment.tcp;
        let opens = tcp.flags.syn && !tcp.flags.ack;
        let key = (tcp.source < tcp.destination, tcp.network);
        let distance = |i: &usize| self.flows[*i].distance(segment);
        let known = tenants.known.get(&key).copied();
        if let Some(i) = known.filter(|i| !opens && distance(i) <= MAX_DISTANCE) {
            return i;
        }
        let nearest = tenants.flows.iter().copied().min_by_key(distance).filter(|i| distance(i) <= MAX_DISTANCE);
        let in_network = || tenants.flows.iter().copied().find(|i| self.flows[*i].network == tcp.network);
        // A SYN that no flow has sent begins the next connection of its network.
        let is_sent = |i: &usize| !opens || distance(i) == 0;
        match nearest.filter(is_sent) {
            Some(i) => {
                tenants.known.insert(key, i);
                i
            }
            None => in_network().unwrap_or(latest),
        }
    }
}

impl Flow {
    /// How many bytes a segment begins before or after the next byte that is expected; by what it acknowledges, if its direction has
    /// no bytes yet.
    fn distance(&self, segment: &Segment<'_>) -> u32 {
        let tcp = &segment.tcp;
        let direction = if tcp.source == self.client { Direction::ClientToServer } else { Direction::ServerToClient };
        let [own, other] = [direction, direction.opposite()].map(|direction| &self.sides[direction.index()]);
        let acknowledged = || tcp.flags.ack.then(|| other.distance(tcp.ack)).flatten();
        // A repeated SYN has the number before the first byte.
        let syn = segment.initial_sequence().unwrap_or(tcp.seq);
        let repeated = (tcp.flags.syn && own.sent_syn(syn)).then_some(0);
        repeated.or_else(|| own.distance(tcp.seq)).or_else(acknowledged).unwrap_or(u32::MAX)
    }
}
