//! What the Spotify Web API says: ids, objects, pages, enums, and the table of operations.
