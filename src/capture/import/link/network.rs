//! Which virtual networks a packet is in.

/// The virtual networks around a packet: its VLANs, and the networks of its tunnels. Packets in different networks have different
/// values, except by a chance of one in 4 billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VirtualNetwork(u32);

/// A kind of virtual network.
#[derive(Clone, Copy, Debug)]
pub enum NetworkKind {
    /// IEEE 802.1Q.
    Vlan = 1,
    /// The service instance of IEEE 802.1ah.
    Service = 2,
    Vxlan = 3,
    Geneve = 4,
    Nvgre = 5,
}

impl VirtualNetwork {
    /// A network with this number, of at most 24 bits. VLAN 0 is no network: its tag has only a priority (IEEE 802.1Q-2018 §9.6).
    pub const fn new(kind: NetworkKind, number: u32) -> Self {
        match (kind, number) {
            (NetworkKind::Vlan, 0) => Self(0),
            _ => Self((kind as u32) << 24 | number),
        }
    }

    /// Whether the packet is in a virtual network.
    pub const fn is_any(self) -> bool {
        self.0 != 0
    }

    /// This network inside another one.
    #[must_use]
    pub const fn within(self, outer: Self) -> Self {
        match (self.is_any(), outer.is_any()) {
            (_, false) => self,
            (false, true) => outer,
            (true, true) => Self((outer.0.wrapping_mul(0x9e37_79b1).rotate_left(13) ^ self.0) | 1 << 31),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_differ_by_kind_number_and_order() {
        let vlan = |number| VirtualNetwork::new(NetworkKind::Vlan, number);
        let vxlan = |number| VirtualNetwork::new(NetworkKind::Vxlan, number);
        let none = VirtualNetwork::default();
        let all = [
            none,
            vlan(1),
            vlan(2),
            vxlan(1),
            vxlan(0),
            vlan(1).within(vlan(2)),
            vlan(2).within(vlan(1)),
            vlan(1).within(vlan(1)),
            vxlan(1).within(vlan(1)),
            vlan(1).within(vxlan(1)),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!([vlan(0), vlan(0).within(vlan(3)), vlan(3).within(vlan(0))], [none, vlan(3), vlan(3)]);
    }
}
