//! Users, and the categories of the browse pages.

use super::World;
use super::id::Id;
use super::names::{CATEGORIES, Name};
use super::rng::Rng;

/// Somebody with an account.
#[derive(Debug)]
pub(crate) struct User {
    /// Free text: a new account has a random one, an old one its login name.
    pub(crate) id: String,
    /// Null for accounts that never set one.
    pub(crate) display_name: Option<String>,
    pub(crate) followers: u32,
    pub(crate) account_id: String,
    pub(crate) email: String,
}

/// A category of the browse pages.
#[derive(Debug)]
pub(crate) struct Category {
    /// An old short word or a new 22-character id.
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) icon: String,
}

/// Login names which need care in a path.
const OLD_NAMES: &[&str] = &["mara.holt", "zoë#91", "quiet listener", "1187043265", "tin_whistle"];

/// Fills the world with people. The first is the one who signs in, the last is Spotify itself.
pub(super) fn fill(world: &mut World, seed: u64) {
    let mut rng = Rng::new(seed, "users");
    add(world, &mut rng, "mockuser".to_owned(), true);
    for (place, name) in OLD_NAMES.iter().enumerate() {
        add(world, &mut rng, (*name).to_owned(), place != 3);
    }
    add(world, &mut rng, "spotify".to_owned(), true);
    let mut rng = Rng::new(seed, "categories");
    for (place, name) in CATEGORIES.iter().enumerate() {
        let id = if place % 8 == 0 {
            name.to_lowercase().replace(' ', "_")
        } else {
            Id::numbered("Category", u32::try_from(place).unwrap_or(0)).to_string()
        };
        world.categories.push(Category { id, name, icon: rng.hex(24) });
    }
}

/// Adds somebody who is not made up.
pub(super) fn add_own(world: &mut World, id: &str, display_name: Option<String>, followers: u32) {
    let account_id = Rng::new(world.seed, id).hex(10);
    let email = format!("{account_id}@example.com");
    world.users.push(User { id: id.to_owned(), display_name, followers, account_id, email });
}

fn add(world: &mut World, rng: &mut Rng, id: String, named: bool) {
    let name = if id == "spotify" { "Spotify".to_owned() } else { Name::person(rng).to_string() };
    let account_id = rng.hex(10);
    let email = format!("{account_id}@example.com");
    let followers = rng.between(0, 900);
    let display_name = named.then_some(name);
    world.users.push(User { id, display_name, followers, account_id, email });
}
