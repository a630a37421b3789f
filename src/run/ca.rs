//! `ca`: the local CA.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{shell, stdio, tls};
use crate::cli::{Ca, CaAction};
use crate::net::tls::authority::{self, Authority, AuthorityFacts};

/// Runs `ca`.
///
/// # Errors
/// Why the local CA cannot be created, read or removed.
pub fn ca(args: &Ca) -> anyhow::Result<ExitCode> {
    let folder = authority::folder().context("cannot find the folder of the local CA")?;
    match args.action {
        CaAction::Create => {
            Authority::create(&folder, &tls::host_name())?;
            stdio::print(described(&authority::facts(&folder)?).as_bytes())?;
        }
        CaAction::Show => stdio::print(described(&authority::facts(&folder)?).as_bytes())?,
        CaAction::Path => stdio::print(format!("{}\n", authority::facts(&folder)?.path.display()).as_bytes())?,
        CaAction::Remove => {
            authority::remove(&folder)?;
            stdio::print(b"removed the local CA; remove it from the programs that trust it too\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The facts of the local CA, and how other programs come to trust it.
fn described(facts: &AuthorityFacts) -> String {
    let AuthorityFacts { path, name, fingerprint, validity: [first, last], expired } = facts;
    let state = if *expired { " (expired)" } else { "" };
    let file = shell::quoted(Path::new(path));
    format!(
        "{name}
certificate  {}
valid        {first} to {last}{state}
SHA-256      {fingerprint}

framescope installs it nowhere. Trust it for one program or one run where that is possible:
  curl      curl --cacert {file} https://localhost:6455/
  Node      NODE_EXTRA_CA_CERTS={file} node client.js
  Python    SSL_CERT_FILE={file} python3 client.py
  Chromium  mkdir -p /tmp/profile/.pki/nssdb
            certutil -d sql:/tmp/profile/.pki/nssdb -A -t C,, -n framescope -i {file}
            HOME=/tmp/profile chromium --user-data-dir=/tmp/profile
            (certutil is in Debian's libnss3-tools; not on Linux: Settings, Privacy and security, Manage certificates)
  Firefox   Settings, Privacy & Security, View Certificates, Authorities, Import
  proxy     framescope proxy wss://localhost:6455 --cacert {file}
Remove it there when you no longer need it: whoever has the key {} can pose as any server.
",
        path.display(),
        shell::quoted(&path.with_extension("key")),
    )
}
