//! Names of link types that are not read.

/// The name of a LINKTYPE that is not read, if it is a common one.
pub fn link_name(link: u16) -> Option<&'static str> {
    Some(match link {
        6 => "Token Ring",
        10 => "FDDI",
        99 => "Symantec Enterprise Firewall",
        107 => "Frame Relay",
        109 => "OpenBSD IPsec",
        117 => "OpenBSD firewall log",
        122 => "IP over Fibre Channel",
        138 => "IP over FireWire",
        143 => "DOCSIS",
        147..=162 => "for private use",
        187 | 201 => "Bluetooth HCI",
        189 | 220 => "Linux USB",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        224 | 225 => "Fibre Channel",
        227 => "CAN",
        231 => "D-Bus",
        247 => "InfiniBand",
        249 => "USBPcap",
        251 | 256 => "Bluetooth Low Energy",
        253 => "Linux Netlink",
        258 => "Apple PKTAP",
        _ => return None,
    })
}
