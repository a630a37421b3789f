//! The part of a relay that holds messages, from the switch to WebSocket on.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{DOWN, Relay, UP};
use crate::net::proxy::end::End;
use crate::net::proxy::hold::{Delivery, Lane, Link};
use crate::net::proxy::input::Input;
use crate::proto::dissected::{Direction, EndReason};

/// What holds messages of a WebSocket connection.
pub(super) struct Lanes {
    each: [Arc<Lane>; 2],
    delivery: Arc<Delivery>,
}

impl Relay {
    /// Begins to track frames, before the client knows that the protocol is WebSocket.
    pub(super) fn begin_lanes(self: &Arc<Self>) {
        // The connection has a number in the capture from here on.
        self.tap.drain_all();
        let request = std::mem::take(&mut *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner));
        let delivery = Arc::new(Delivery::new(&self.tap, request, &self.server));
        let lane = |direction| Arc::new(Lane::new(&self.hold, &self.tap, direction, &delivery));
        let each = [lane(UP), lane(DOWN)];
        let link: Arc<dyn Link> = Arc::clone(self) as Arc<dyn Link>;
        each.iter().for_each(|lane| self.hold.add_lane(lane, &Arc::downgrade(&link)));
        let _ = self.lanes.set(Lanes { each, delivery });
    }

    pub(super) fn lane(&self, direction: Direction) -> Option<&Arc<Lane>> {
        self.lanes.get().map(|lanes| &lanes.each[direction.index()])
    }

    /// How long the next bytes of a direction may take before control frames overtake the message that they interrupt.
    pub(super) fn control_wait(&self, direction: Direction) -> Option<Duration> {
        self.lane(direction).filter(|lane| lane.withholds_heartbeats()).map(|_| self.hold.limits().control_wait)
    }

    /// As [`Self::read`]; passes on control frames if nothing arrives in time.
    pub(super) fn read_lane(
        &self,
        direction: Direction,
        input: &mut Input,
        timeout: Option<Duration>,
    ) -> Result<(), End> {
        let before = input.bytes().len();
        self.read(direction, input, timeout)?;
        match self.lane(direction) {
            Some(lane) if timeout.is_some() && input.bytes().len() == before => lane.pass_heartbeats(self),
            _ => Ok(()),
        }
    }

    /// At the end of a direction: waits until the held messages are sent, or drops them if the connection was reset or cut.
    pub(super) fn settle(&self, direction: Direction, end: End) -> End {
        let Some(lane) = self.lane(direction) else { return end };
        let end = match end {
            End::Fin | End::Truncated(_) => lane.finish(self).err().unwrap_or(end),
            End::Reset => {
                lane.flush(self);
                end
            }
            end => end,
        };
        lane.abandon();
        lane.join();
        end
    }

    /// Records the end of a direction in the recording of the delivered bytes, if there is one.
    pub(super) fn end_delivered(&self, direction: Direction, how: EndReason) {
        if let Some(lanes) = self.lanes.get() {
            lanes.delivery.ended(direction, how);
        }
    }
}
