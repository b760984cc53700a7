//! Replaces the items of a playlist. A long list requires two operations. The first operation
//! replaces the items, and the second operation adds the remaining items.

use spot_http::Request;

use crate::{
    chunks,
    generated::{AddPlaylistItems, AddPlaylistTracks, ReplacePlaylistItems, ReplacePlaylistTracks},
};

/// Implements the methods for the current operation and for the superseded operation.
macro_rules! replace {
    ($replace:ident, $add:ident, $playlist:ident) => {
        impl $replace {
            /// Returns the requests in order, as plain data, without sending them. The first
            /// request replaces the items, even if the list is empty. The other requests add the
            /// remaining items.
            pub fn into_requests(self) -> Vec<Request> {
                let uris = match chunks::parsed(Self::OPERATION, "uris", &self.uris) {
                    Ok(uris) => uris,
                    Err(error) => return vec![Request::failed(error)],
                };
                let (first, rest) = uris.split_at(uris.len().min(Self::CHUNK));
                let mut requests = vec![self.request(first)];
                let add = $add {
                    client: self.client.clone(),
                    $playlist: self.$playlist.clone(),
                    uris: Ok(rest.to_vec()),
                    position: None,
                };
                requests.extend(add.into_requests());
                requests
            }
        }
    };
}

replace!(ReplacePlaylistItems, AddPlaylistItems, id);
replace!(ReplacePlaylistTracks, AddPlaylistTracks, playlist);
