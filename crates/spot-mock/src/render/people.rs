//! Users and categories.

use crate::{
    accounts::ScopeSet,
    http::{
        json::{Json, Object, object},
        query::encoded,
    },
    render::renderer::Render,
    world::{Category, HOME, Key, User, mix},
};

impl Render<'_> {
    /// The profile of the calling user. Some fields require a scope.
    pub(crate) fn profile(self, key: Key<User>, scopes: &ScopeSet, premium: bool) -> Json {
        let user = &self.world.users[key];
        let mut object = Object::new();
        object.set("account_id", user.account_id.clone());
        object.set("display_name", user.display_name.clone());
        if self.extended {
            if scopes.has("user-read-private") {
                object.set("country", HOME);
                let filter = object! { "filter_enabled": false, "filter_locked": false };
                object.set("explicit_content", filter);
                object.set("product", if premium { "premium" } else { "free" });
            }
            if scopes.has("user-read-email") {
                object.set("email", user.email.clone());
            }
            object.set("followers", object! { "href": Json::Null, "total": user.followers });
        }
        object.set("images", pictures(user));
        self.set_user_reference(&mut object, user);
        object.into()
    }

    /// The public profile of a user.
    pub(crate) fn public_user(self, key: Key<User>) -> Json {
        let user = &self.world.users[key];
        let mut object = Object::new();
        object.set("display_name", user.display_name.clone());
        object.set("followers", object! { "href": Json::Null, "total": user.followers });
        object.set("images", pictures(user));
        self.set_user_reference(&mut object, user);
        object.into()
    }

    /// The owner of a playlist.
    pub(super) fn owner(self, key: Key<User>) -> Json {
        let user = &self.world.users[key];
        let mut object = Object::new();
        object.set("display_name", user.display_name.clone());
        self.set_user_reference(&mut object, user);
        object.into()
    }

    /// The user who added an entry to a playlist.
    pub(super) fn adder(self, key: Key<User>) -> Json {
        let mut object = Object::new();
        self.set_user_reference(&mut object, &self.world.users[key]);
        object.into()
    }

    pub(crate) fn category(self, category: &Category) -> Json {
        let icon = object! {
            "height": 274,
            "url": format!("https://t.scdn.co/images/{}.jpeg", category.icon),
            "width": 274,
        };
        object! {
            "href": format!("{}/browse/categories/{}", self.api, category.id),
            "icons": vec![icon],
            "id": category.id.clone(),
            "name": category.name.clone(),
        }
    }

    fn set_user_reference(self, object: &mut Object, user: &User) {
        let name = encoded(&user.id);
        let url = format!("https://open.spotify.com/user/{name}");
        object.set("external_urls", object! { "spotify": url });
        object.set("href", format!("{}/users/{name}", self.api));
        object.set("id", user.id.clone());
        object.set("type", "user");
        object.set("uri", format!("spotify:user:{name}"));
    }
}

/// The profile picture in two sizes. A user without a display name has no picture.
fn pictures(user: &User) -> Vec<Json> {
    if user.display_name.is_none() {
        return Vec::new();
    }
    let hash = user.account_id.bytes().fold(2, |state, byte| mix(state ^ u64::from(byte)));
    let picture = |(prefix, size): (&str, u32)| {
        let url = format!("https://i.scdn.co/image/{prefix}{hash:016x}{:08x}", mix(hash) >> 32);
        object! { "height": size, "url": url, "width": size }
    };
    [("ab6775700000ee85", 300), ("ab67757000003b82", 64)].into_iter().map(picture).collect()
}
