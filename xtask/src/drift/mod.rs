//! `cargo xtask drift FILE`: compares the spec with the official document.
//!
//! Every difference is reported as a line of text. `xtask/spec/deviations.toml` lists the intended
//! differences, and a reason for each difference. A `*` in that file matches any text. The task
//! fails if a difference has no reason, or if a reason no longer matches a difference.

mod compare;
mod document;
mod types;

use std::{collections::BTreeSet, path::Path};

use self::document::Document;
pub use self::document::read;
use crate::{
    deviations::Deviations,
    spec::{Error, Spec},
};

/// The differences, as lines of text. In the code, "there" means the document and "here" means the
/// spec.
#[derive(Default)]
struct Differences(BTreeSet<String>);

impl Differences {
    fn add(&mut self, difference: String) {
        self.0.insert(difference);
    }
}

pub(crate) fn run(root: &Path, file: &Path) -> Result<(), Error> {
    let spec = Spec::load(&root.join("xtask/spec"))?;
    let document = Document::read(file)?;
    Deviations::read(root)?.report_spec(&differences(&spec, &document).0)
}

fn differences(spec: &Spec, document: &Document) -> Differences {
    let mut differences = Differences::default();
    compare::operations(spec, document, &mut differences);
    types::compare(spec, document, &mut differences);
    differences
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::openapi;

    /// The differences between the spec and its own export, after `change` has modified the export.
    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let spec = Spec::load(&crate::root().join("xtask/spec")).unwrap();
        let mut document = serde_json::to_value(openapi::document(&spec)).unwrap();
        change(&mut document);
        differences(&spec, &Document::new(document)).0.into_iter().collect()
    }

    #[test]
    fn the_spec_matches_the_exported_document() {
        assert_eq!(after(|_| {}), [] as [&str; 0]);
    }

    #[test]
    fn operations_missing_on_either_side_are_reported() {
        let found = after(|document| {
            let paths = document["paths"].as_object_mut().unwrap();
            paths.remove("/markets");
            paths.insert("/lyrics/{id}".to_owned(), json!({ "get": {} }));
        });
        assert_eq!(
            found,
            ["GET /lyrics/{id} is only in the document", "GET /markets is only in the spec"]
        );
    }

    #[test]
    fn differences_in_scopes_and_access_are_reported() {
        let found = after(|document| {
            let queue = &mut document["paths"]["/me/player/queue"]["get"];
            queue["security"][0]["oauth"] = json!(["user-read-playback-state", "user-top-read"]);
            queue["deprecated"] = json!(true);
        });
        let found: Vec<_> =
            found.iter().map(|said| said.replace("GET /me/player/queue: ", "")).collect();
        assert_eq!(
            found,
            [
                "deprecated in the document, but not restricted in the spec",
                "scope `user-read-currently-playing` is only in the spec",
                "scope `user-top-read` is only in the document",
            ]
        );
    }

    #[test]
    fn differences_in_parameters_are_reported() {
        let found = after(|document| {
            let parameters = &mut document["paths"]["/me/top/{type}"]["get"]["parameters"];
            for parameter in parameters.as_array_mut().unwrap() {
                match parameter["name"].as_str().unwrap() {
                    "type" => parameter["schema"]["enum"] = json!(["artists", "tracks", "genres"]),
                    "time_range" => parameter["schema"]["default"] = json!("long_term"),
                    "limit" => parameter["schema"]["maximum"] = json!(99),
                    _ => parameter["name"] = json!("skip"),
                }
            }
        });
        let found: Vec<_> =
            found.iter().map(|said| said.replace("GET /me/top/{type}: ", "")).collect();
        assert_eq!(
            found,
            [
                "path `type`: value `genres` is only in the document",
                "query `limit`: the maximum is 99 in the document, 50 in the spec",
                "query `offset` is only in the spec",
                "query `skip` is only in the document",
                "query `time_range`: the default is long_term in the document, medium_term in the spec",
            ]
        );
    }

    #[test]
    fn differences_in_fields_and_enum_values_are_reported() {
        let found = after(|document| {
            let schemas = &mut document["components"]["schemas"];
            schemas["Segment"]["properties"]["zing"] = json!({ "type": "string" });
            schemas["Track"]["properties"].as_object_mut().unwrap().remove("disc_number");
            schemas["Device"]["properties"]["is_active"] = json!({ "type": "string" });
            schemas["AlbumType"]["enum"].as_array_mut().unwrap().push(json!("mixtape"));
        });
        assert_eq!(
            found,
            [
                "enum AlbumType: value `mixtape` is only in the document",
                "type Device: field `is_active`: string in the document, boolean in the spec",
                "type Segment: field `zing` is only in the document",
                "type Track: field `disc_number` is only in the spec",
            ]
        );
    }
}
