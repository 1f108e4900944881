use async_trait::async_trait;

use crate::RejectReason;

/// Decides who may come in before a transport keeps anything of an applicant: a transport whose set-up costs something asks it
/// first.
///
/// A server's own `Authenticate` can be one (`bowline::admission`), so that both doors have the same rules. The credentials
/// are those of the protocol, encoded, and anybody may have written them.
///
/// **Implementors** MUST end within a few seconds; callers give up after that, and let nobody in.
#[async_trait]
pub trait Admission: Send + Sync {
    /// Decides about an applicant.
    ///
    /// # Errors
    /// The reason that it is told.
    async fn admit(&self, applicant: Applicant) -> Result<(), RejectReason>;
}

/// Who wants to come in.
#[derive(Clone)]
#[non_exhaustive]
pub struct Applicant {
    /// What it shows; empty where it shows nothing.
    pub credentials: Vec<u8>,
    /// Where it calls from, as the transport shows it.
    pub address: String,
    /// By which transport.
    pub transport: &'static str,
}

impl Applicant {
    /// An applicant at an address.
    #[must_use]
    pub const fn new(credentials: Vec<u8>, address: String, transport: &'static str) -> Self {
        Self { credentials, address, transport }
    }
}

/// Without the credentials: they do not belong into a log.
impl std::fmt::Debug for Applicant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Applicant").field("address", &self.address).finish_non_exhaustive()
    }
}
