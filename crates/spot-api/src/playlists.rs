//! What a playlist's requests do beyond one call.

use serde::Deserialize;
use spot_model::SnapshotId;

use crate::{
    AddPlaylistItems, AddPlaylistTracks, Error, ReplacePlaylistItems, ReplacePlaylistTracks, chunks,
};

/// The same for today's route and the one before it.
macro_rules! replace_all {
    ($replace:ident, $add:ident, $playlist:ident) => {
        impl $replace {
            /// The first part takes the place of what is there, even if it is empty; the others
            /// are added.
            pub(crate) async fn replace_all(self) -> Result<SnapshotId, Error> {
                #[derive(Deserialize)]
                struct Answer {
                    snapshot_id: SnapshotId,
                }
                let uris = chunks::parsed(Self::OPERATION, "uris", &self.uris)?;
                let (first, rest) = uris.split_at(uris.len().min(Self::CHUNK));
                let replaced = self.client.fetch::<Answer>(self.request(first)).await;
                let replaced = replaced.map_err(|error| error.with_done(0))?;
                let add = $add {
                    client: self.client,
                    $playlist: self.$playlist,
                    uris: Ok(rest.to_vec()),
                    position: None,
                };
                match add.await {
                    Ok(added) => Ok(added.unwrap_or(replaced.into_body().snapshot_id)),
                    Err(error) => {
                        let done = first.len() + error.done().unwrap_or(0);
                        Err(error.with_done(done))
                    }
                }
            }
        }
    };
}

replace_all!(ReplacePlaylistItems, AddPlaylistItems, id);
replace_all!(ReplacePlaylistTracks, AddPlaylistTracks, playlist);
