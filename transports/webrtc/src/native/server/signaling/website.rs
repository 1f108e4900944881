use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_core::Admission;
use hyper::body::Bytes;

/// What is served: where offers go, who may make them, and which files there are beside.
#[derive(Clone)]
pub(crate) struct Website {
    /// With its slash.
    pub(crate) path: String,
    pub(crate) admission: Option<Arc<dyn Admission>>,
    /// The origins of pages that may make offers; all, where there is no list.
    pub(crate) origins: Option<Vec<String>>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) is_behind_proxy: bool,
    /// How many offers an address may make at once, and in a second.
    pub(crate) offer_rate: (u32, u32),
}

/// A file that is served.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

impl Website {
    pub(crate) fn new(path: &str) -> Self {
        let mut website = Self {
            path: String::new(),
            admission: None,
            origins: None,
            files: BTreeMap::new(),
            is_behind_proxy: false,
            offer_rate: (64, 16),
        };
        website.set_path(path);
        website
    }

    pub(crate) fn set_path(&mut self, path: &str) {
        self.path = format!("/{}", path.trim_matches('/'));
    }

    /// Whether a page from `origin` may make offers.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.origins.as_ref().is_none_or(|origins| origins.iter().any(|allowed| allowed == origin))
    }
}

impl File {
    pub(crate) fn new(content_type: &str, bytes: Vec<u8>) -> Self {
        Self { content_type: content_type.to_owned(), bytes: bytes.into() }
    }
}
