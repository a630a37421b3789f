//! A proxy that relays, to one server or to those that clients name, as a source of live traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hold_desk::{self, ProxyDesk};
use super::live::RunningSource;
use crate::capture::live::recorder::Recorder;
use crate::capture::store::Capture;
use crate::net::proxy::hold::Hold;
use crate::net::{ListenerHandle, PageServer};
use crate::tui::app::LiveTraffic;
use crate::tui::hold_desk::HoldDesk;

/// A proxy that relays.
pub struct Relaying {
    pub handle: ListenerHandle,
    pub recorder: Recorder,
    /// Whether it speaks TLS with clients.
    pub is_tls: bool,
    /// What the screen shows about it.
    pub traffic: LiveTraffic,
    pub hold: Arc<Hold>,
}

impl RunningSource for Relaying {
    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    fn recorder(&self) -> Option<&Recorder> {
        Some(&self.recorder)
    }

    fn ready_line(&self) -> String {
        format!("listening on {}", PageServer { address: self.handle.address(), is_tls: self.is_tls }.url())
    }

    fn traffic(&self) -> Option<LiveTraffic> {
        Some(self.traffic.clone())
    }

    fn hold_desk(&self, changed: Box<dyn Fn() + Send + Sync>) -> Option<Arc<dyn HoldDesk>> {
        self.hold.on_change(changed);
        Some(Arc::new(ProxyDesk::new(&self.hold, self.recorder.capture())))
    }

    fn report_held(&self, say: Box<dyn Fn(&str) + Send + Sync>) {
        let (hold, capture, reported) = (Arc::downgrade(&self.hold), self.capture().clone(), AtomicU64::new(0));
        self.hold.on_change(move || {
            let Some(hold) = hold.upgrade() else { return };
            for held in hold.held(usize::MAX) {
                // Their ids grow.
                if reported.fetch_max(held.id, Ordering::SeqCst) < held.id {
                    say(&hold_desk::held_line(&held, &capture));
                }
            }
        });
    }

    fn shutdown(self) -> Option<String> {
        let left = hold_desk::release(&self.hold);
        self.handle.shutdown();
        left
    }
}
