//! Replaces the items of a playlist. A long list takes two operations: replace, then add.

use spot_http::Request;

use crate::{
    chunks,
    generated::{AddPlaylistItems, AddPlaylistTracks, ReplacePlaylistItems, ReplacePlaylistTracks},
};

/// Implements the methods for the current operation and for the superseded one.
macro_rules! replace {
    ($replace:ident, $add:ident, $playlist:ident) => {
        impl $replace {
            /// Returns the requests in order, as plain data, without sending them. The first one
            /// replaces the items, even with an empty list, and the others add the rest.
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
