//! `cargo xtask openapi`: prints the spec as an OpenAPI document, for other tools.

mod node;
mod operations;
mod schemas;

use std::path::Path;

use crate::{
    console::say,
    openapi::{
        node::{Node, map, plain},
        operations::paths,
        schemas::components,
    },
    spec::{Error, Spec},
};

pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let spec = Spec::load(&root.join("xtask/spec"))?;
    say(serde_saphyr::to_string(&document(&spec)).map_err(|error| error.to_string())?.trim_end());
    Ok(())
}

pub(crate) fn document(spec: &Spec) -> Node {
    let title = "Spotify Web API";
    let text = "The Spotify Web API as observed in practice, described by the spot SDK. This is not \
                Spotify's own document.";
    let info = map([
        ("title", title.into()),
        ("description", text.into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ]);
    let tags = spec.domains.iter().filter(|domain| !domain.op.is_empty()).map(|domain| {
        map([("name", domain.name.as_str().into()), ("description", plain(&domain.doc))])
    });
    map([
        ("openapi", "3.1.0".into()),
        ("info", info),
        ("servers", Node::List(vec![map([("url", "https://api.spotify.com/v1".into())])])),
        ("tags", Node::List(tags.collect())),
        ("paths", paths(spec)),
        ("components", components(spec)),
    ])
}
