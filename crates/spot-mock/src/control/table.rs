//! The operations of the control interface, one per row.

use crate::{
    control::{
        Outcome, Request,
        bodies::{
            Advance, AdvertisementBody, DeviceBody, Info, Inject, LimitsBody, RandomBody, Requests,
            SignIn, Time, Token, TokenBody, WorldBody, Worlds,
        },
        json, openapi,
        operation::{Operation, row},
        operations as run,
    },
    state::WorldIds,
    world::custom,
};

#[rustfmt::skip]
pub(super) static OPERATIONS: &[Operation] = &[
    row("GET", "", "info", "URLs, applications and users of this instance", run::info).answer::<Info>(200),
    row("GET", "/openapi.json", "openapi", "This document", document).answer::<serde_json::Value>(200),
    row("GET", "/clock", "clock", "The time of the mock", run::clock).answer::<Time>(200),
    row("POST", "/clock", "advance-clock", "Moves the clock forward, so that playback continues, tokens expire, and rate limit windows end", run::advance).body::<Advance>().answer::<Time>(200),
    row("GET", "/requests", "requests", "The requests received so far, at most 100,000", run::requests).answer::<Requests>(200),
    row("DELETE", "/requests", "take-requests", "Removes and returns the requests received so far", run::take_requests).answer::<Requests>(200),
    row("POST", "/faults", "inject-fault", "Injects a fault into the next request", run::inject).body::<Inject>(),
    row("DELETE", "/faults", "clear-faults", "Removes all injected and random faults", run::clear_faults),
    row("PUT", "/faults/random", "random-faults", "Sets the random faults", run::random_faults).body::<RandomBody>(),
    row("POST", "/tokens", "create-token", "Creates a token without sign-in", run::token).body::<TokenBody>().answer::<Token>(201),
    row("PUT", "/sign-in", "set-sign-in", "Sets which user signs in, whether the user consents, and the policy for refresh tokens", run::sign_in).body::<SignIn>(),
    row("DELETE", "/consents", "revoke-consents", "Revokes consents, including their access tokens and refresh tokens", run::revoke)
        .query(&[("application", "Name of the application; default: all applications"), ("user", "Id of the user; default: all users")]),
    row("PUT", "/limits", "set-limits", "Sets the limits, and resets the counters of calls", run::limits).body::<LimitsBody>(),
    row("POST", "/devices", "add-device", "Adds a device, or replaces the device that has the same id", run::device).body::<DeviceBody>(),
    row("DELETE", "/devices", "remove-device", "Removes a device, as if it were switched off", run::remove_device)
        .query(&[("id", "Id of the device; required"), ("user", "Id of the user; default: the default user")]),
    row("POST", "/advertisement", "play-advertisement", "Interrupts playback with an advertisement", run::advertise).body::<AdvertisementBody>(),
    row("POST", "/reset", "reset", "Resets the state, clock, tokens, requests, faults and limits", run::reset),
    row("GET", "/world", "world-ids", "Ids of objects in the mock's test data, for use in tests", run::ids).answer::<WorldIds>(200),
    row("PUT", "/world", "replace-world", "Replaces the custom test data with the request body, and resets the mock", run::replace_world).body::<custom::World>().answer::<WorldIds>(200),
    row("GET", "/worlds", "worlds", "The keys of the isolated instances", run::worlds).answer::<Worlds>(200),
    row("PUT", "/worlds/{key}", "create-world", "Creates an isolated instance, or replaces the instance that has this key", run::create_world).body::<WorldBody>().answer::<Info>(201),
    row("GET", "/worlds/{key}", "world", "URLs, applications and users of an isolated instance", run::world).answer::<Info>(200),
    row("DELETE", "/worlds/{key}", "remove-world", "Removes an isolated instance", run::remove_world),
];

fn document(request: &Request<'_>) -> Outcome {
    Ok(json(200, &openapi::document(&request.instance.base_url, OPERATIONS)))
}
