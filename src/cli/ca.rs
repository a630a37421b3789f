//! The command line of `framescope ca`.

use clap::{Args, Subcommand};

/// `framescope ca`
#[derive(Args, Clone, Debug)]
#[command(
    after_long_help = "The CA, called the local CA, issues the certificates of serve --tls, proxy --tls and proxy --forward --intercept, for localhost and \
the names that clients ask for; these commands create it if it is missing. framescope never installs the CA; framescope ca show prints \
the commands with which other programs trust it. Whoever has its key can pose as any server to these programs: when you no longer need \
it, run framescope ca remove and remove it from them."
)]
pub struct Ca {
    /// What to do
    #[command(subcommand)]
    pub action: CaAction,
}

/// What to do with the local CA.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CaAction {
    /// Create the local CA: a private key (mode 0600) and a certificate, valid for two years
    Create,
    /// Show its fingerprint and validity, and the commands with which other programs trust it
    Show,
    /// Print the path of its certificate
    Path,
    /// Delete its key and its certificate
    Remove,
}
