//! Generates users and categories.

use std::borrow::Cow;

use crate::world::{
    catalog::World,
    id::Id,
    names::{CATEGORIES, Name},
    people::{Category, User},
    rng::Rng,
};

/// Login names. Some names must be escaped in a path.
const OLD_NAMES: &[&str] = &["mara.holt", "zoë#91", "quiet listener", "1187043265", "tin_whistle"];

/// Adds the users. The first user is the default user, and the last user is `spotify`.
pub(super) fn fill(world: &mut World) {
    let mut rng = Rng::new(world.seed, "users");
    add(world, &mut rng, "mockuser".to_owned(), true);
    for (place, name) in OLD_NAMES.iter().enumerate() {
        add(world, &mut rng, (*name).to_owned(), place != 3);
    }
    add(world, &mut rng, "spotify".to_owned(), true);
    let mut rng = Rng::new(world.seed, "categories");
    for (place, name) in CATEGORIES.iter().enumerate() {
        let id = if place % 8 == 0 {
            name.to_lowercase().replace(' ', "_")
        } else {
            Id::numbered("Category", u32::try_from(place).unwrap_or(0)).to_string()
        };
        world.categories.push(Category { id, name: Cow::Borrowed(name), icon: rng.hex(24) });
    }
}

/// Adds the default user and Spotify's user `spotify`.
pub(super) fn fill_bare(world: &mut World) {
    let mut rng = Rng::new(world.seed, "users");
    add(world, &mut rng, "mockuser".to_owned(), true);
    add(world, &mut rng, "spotify".to_owned(), true);
}

fn add(world: &mut World, rng: &mut Rng, id: String, named: bool) {
    let name = if id == "spotify" { "Spotify".to_owned() } else { Name::person(rng).to_string() };
    let account_id = rng.hex(10);
    let email = format!("{account_id}@example.com");
    let followers = rng.between(0, 900);
    let display_name = named.then_some(name);
    world.users.push(User { id, display_name, followers, account_id, email, premium: true });
}
