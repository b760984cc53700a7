//! How the objects of `spot-model` are read and written.
//!
//! Kept apart from the objects themselves, because a user of the crate reads those and not these.

use std::{collections::BTreeSet, path::PathBuf};

use super::{import, preamble};
use crate::{
    spec::{Domain, Field, Spec, Type},
    ty::Ty,
};

/// Names in readers that are not ours.
const FOREIGN: &[&str] = &["As", "DefaultOnNull", "Same"];

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut modules = String::new();
    for domain in spec.domains.iter().filter(|domain| !domain.r#type.is_empty()) {
        let name = &domain.name;
        modules.push_str(&format!("pub(super) mod {name};\n"));
        files
            .push((format!("crates/spot-model/src/generated/wire/{name}.rs").into(), file(domain)));
    }
    modules.push_str("pub(crate) mod playable;\n");
    files.push(("crates/spot-model/src/generated/wire/playable.rs".into(), playable(spec)));
    let root = format!(
        "{}//! How the objects are read and written: what may be missing or null, which fields have\n\
         //! two names, and which ones follow from the id.\n\n{modules}",
        preamble("*.toml")
    );
    files.push(("crates/spot-model/src/generated/wire/mod.rs".into(), root));
    files
}

fn file(domain: &Domain) -> String {
    let mut body = String::new();
    for (name, kind) in domain.r#type.iter() {
        body.push('\n');
        body.push_str(&wire(name, kind));
        body.push('\n');
        body.push_str(&conversion(name, kind));
        body.push('\n');
        body.push_str(&writer(name, kind));
    }
    let fields = || domain.r#type.iter().flat_map(|(_, kind)| &kind.fields);
    let mut names = vec!["object::ObjectWriter".to_owned()];
    fields().for_each(|field| field.ty.names(&mut names));
    names.extend(domain.r#type.iter().map(|(name, _)| name.to_owned()));
    let readers =
        fields().flat_map(|field| field.ty.reader().into_iter().chain(field.ty.element()));
    let readers: Vec<String> = readers.chain(["As<LenientId>".to_owned()]).collect();
    let words =
        readers.iter().flat_map(|reader| reader.split(|c: char| !c.is_ascii_alphanumeric()));
    // Not every adapter of a type is needed where the type is used.
    let is_used = |word: &&str| {
        !matches!(*word, "" | "Option" | "Vec") && body.contains(&format!("<{word}"))
            || *word == "As" && body.contains("As::<")
    };
    let (foreign, adapters): (Vec<&str>, Vec<&str>) =
        words.filter(is_used).partition(|word| FOREIGN.contains(word));
    let foreign = foreign.into_iter().map(str::to_owned);
    let adapters = adapters.into_iter().map(str::to_owned);
    let mut out = preamble(&format!("{}.toml", domain.name));
    if fields().any(|field| field.ty.uses_duration()) {
        out.push_str("use std::time::Duration;\n\n");
    }
    if fields().any(|field| field.ty.uses_timestamp()) {
        out.push_str("use chrono::{DateTime, Utc};\n");
    }
    out.push_str("use serde::{Deserialize, Serialize, Serializer};\n");
    out.push_str(&import("serde_with", foreign));
    out.push('\n');
    let adapters: Vec<String> = BTreeSet::from_iter(adapters).into_iter().collect();
    if !adapters.is_empty() {
        names.push(format!("lenient::{{{}}}", adapters.join(", ")));
    }
    let extra = [("WireError", "object::WireError"), ("Deferred<", "deferred::Deferred")];
    let extra = extra.iter().filter(|(word, _)| body.contains(word));
    let extra = extra.map(|(_, name)| (*name).to_owned());
    out.push_str(&import("crate", names.into_iter().chain(extra)));
    out.push_str(&body);
    out
}

/// The shadow struct: every field may be missing.
fn wire(name: &str, kind: &Type) -> String {
    let lifetime = if has_old_names(kind) { "<'a>" } else { "" };
    let mut out = format!(
        "#[derive(Deserialize)]\npub(in crate::generated) struct {name}Wire{lifetime} {{\n"
    );
    for field in &kind.fields {
        out.push_str(&wire_field(field));
        if let Some(old) = &field.renamed_from {
            out.push_str(&format!("    #[serde(borrow)]\n    {old}: Option<Deferred<'a>>,\n"));
        }
    }
    if let Some(id) = linked_id(kind) {
        // Filters and old lists leave the id out but not the links.
        for link in ["uri", "href"] {
            if kind.fields.iter().any(|field| field.json() == link) {
                continue;
            }
            out.push_str(&format!(
                "    #[serde(default, with = \"As::<LenientId>\")]\n    {link}: Option<{id}>,\n"
            ));
        }
    }
    out.push_str("}\n");
    out
}

/// A field of a shadow struct, with how it is read.
fn wire_field(field: &Field) -> String {
    let ty = held(field);
    let reader = ty.reader().map_or(String::new(), |reader| format!(", with = \"As::<{reader}>\""));
    let rename = match field.json() {
        json if json == field.name.trim_start_matches("r#") => String::new(),
        json => format!(", rename = \"{json}\""),
    };
    format!("    #[serde(default{rename}{reader})]\n    {}: {},\n", field.name, ty.rust())
}

/// Whether a field of the object has an old name, under which its value is borrowed from what came.
pub(super) fn has_old_names(kind: &Type) -> bool {
    kind.fields.iter().any(|field| field.renamed_from.is_some())
}

/// Whether what came may be of no use.
pub(super) fn is_fallible(kind: &Type) -> bool {
    has_old_names(kind) || kind.fields.iter().any(|field| field.required)
}

/// The type a field has while it is not known whether it came.
fn held(field: &Field) -> Ty {
    if field.required { Ty::Optional(Box::new(field.ty.clone())) } else { field.ty.clone() }
}

/// The type of the id, if the object has links that repeat it.
fn linked_id(kind: &Type) -> Option<&str> {
    kind.object.as_ref()?;
    let id = kind.fields.iter().find(|field| field.name == "id")?;
    id.ty.is_copy_id().then(|| id.ty.id()).flatten()
}

fn conversion(name: &str, kind: &Type) -> String {
    let linked = linked_id(kind).is_some();
    let (mut before, mut fields) = (String::new(), String::new());
    for field in &kind.fields {
        let mut value = format!("wire.{}", field.name);
        if let Some(old) = &field.renamed_from {
            before.push_str(&format!(
                "        let {} = match ({value}, wire.{old}) {{\n            \
                 (None, Some(old)) => old.read(\"{old}\")?,\n            (value, _) => value,\n        }};\n",
                field.name
            ));
            fields.push_str(&format!("            {},\n", field.name));
            continue;
        }
        if linked && field.name == "id" {
            let has_uri_field = kind.fields.iter().any(|field| field.json() == "uri");
            let uri = if has_uri_field { "" } else { ".or(wire.uri)" };
            value = format!("{value}{uri}.or(wire.href)");
        }
        if field.required {
            value = format!("{value}.ok_or(WireError::MissingField(\"{}\"))?", field.json());
        }
        fields.push_str(&format!("            {}: {value},\n", field.name));
    }
    if is_fallible(kind) {
        let lifetime = if has_old_names(kind) { "<'_>" } else { "" };
        // Inline, so that it is compiled where the type is decoded: what stands under old names is
        // decoded within it.
        format!(
            "impl TryFrom<{name}Wire{lifetime}> for {name} {{\n    type Error = WireError;\n\n    #[inline]\n    \
             fn try_from(wire: {name}Wire{lifetime}) -> Result<Self, WireError> {{\n{before}        \
             Ok(Self {{\n{fields}        }})\n    }}\n}}\n"
        )
    } else {
        format!(
            "impl From<{name}Wire> for {name} {{\n    fn from(wire: {name}Wire) -> Self {{\n        \
             Self {{\n{fields}        }}\n    }}\n}}\n"
        )
    }
}

/// A track or an episode, which says at its end which of them it is: the fields of both, read in one
/// pass, and made into the one or the other.
fn playable(spec: &Spec) -> String {
    let kinds =
        || ["Track", "Episode"].into_iter().filter_map(|name| Some((name, spec.kind(name)?)));
    let special = |field: &&Field| ["id", "uri"].contains(&field.json());
    let mut fields = String::new();
    let mut known: Vec<&Field> = Vec::new();
    let ours = ["Track", "Episode", "id::AnyId", "playable::{AnyUri, PlayableKind}"];
    let mut names: Vec<String> = ours.map(str::to_owned).to_vec();
    for field in kinds().flat_map(|(_, kind)| &kind.fields).filter(|field| !special(field)) {
        if known.iter().any(|known| known.json() == field.json()) {
            continue;
        }
        known.push(field);
        field.ty.names(&mut names);
        fields.push_str(&wire_field(field));
    }
    let mut conversions = String::new();
    for (name, kind) in kinds() {
        let function = name.to_lowercase();
        // Of a track, the URI is looked at for what the id does not say.
        let has_uri_field = kind.fields.iter().any(|field| field.json() == "uri");
        let from_uri = format!(".or_else(|| self.uri.as_ref()?.id()?.{function}())");
        let from_uri = if has_uri_field { "" } else { &from_uri };
        let mut values = String::new();
        for field in &kind.fields {
            let value = match field.json() {
                "id" => format!(
                    "self.id.and_then(AnyId::{function}){from_uri}.or_else(|| self.href?.{function}())"
                ),
                "uri" => "self.uri.and_then(AnyUri::local)".to_owned(),
                _ => format!("self.{}", field.name),
            };
            values.push_str(&format!("            {}: {value},\n", field.name));
        }
        conversions.push_str(&format!(
            "\n    pub(crate) fn into_{function}(self) -> {name} {{\n        {name} {{\n{values}        }}\n    }}\n"
        ));
    }
    let body = format!(
        "\n/// The fields of a track and of an episode, which says only at its end what it is.\n\
         #[derive(Deserialize)]\npub(crate) struct PlayableWire {{\n    \
         #[serde(default, rename = \"type\")]\n    pub(crate) kind: Option<PlayableKind>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    id: Option<AnyId>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    uri: Option<AnyUri>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    href: Option<AnyId>,\n{fields}}}\n\n\
         impl PlayableWire {{{}}}\n",
        conversions.trim_start_matches('\n').replacen("    pub", "\n    pub", 1)
    );
    let is_used = |word: &&str| body.contains(&format!("<{word}"));
    let adapters: BTreeSet<&str> = ["Date", "Int", "LenientId", "LocalOnly", "Millis", "NonNull"]
        .into_iter()
        .filter(is_used)
        .collect();
    let adapters: Vec<&str> = adapters.into_iter().collect();
    names.push(format!("lenient::{{{}}}", adapters.join(", ")));
    names.retain(|name| name != "LocalFile");
    let foreign = FOREIGN
        .iter()
        .copied()
        .filter(|name| body.contains(&format!("<{name}")) || body.contains(&format!("{name}::<")));
    let mut out = preamble("*.toml");
    out.push_str("use std::time::Duration;\n\nuse serde::Deserialize;\n");
    out.push_str(&import("serde_with", foreign.map(str::to_owned)));
    out.push('\n');
    out.push_str(&import("crate", names));
    out.push_str(&body);
    out
}

fn writer(name: &str, kind: &Type) -> String {
    let mut lines = String::new();
    for field in &kind.fields {
        let json = field.json();
        let access = format!("self.{}", field.name);
        if field.name == "id" && kind.object.is_some() {
            lines.push_str(&format!("        out.id(&{access})?;\n"));
            continue;
        }
        let line = match (&field.ty, field.ty.is_optional()) {
            (Ty::Optional(inner), _) => match inner.element() {
                Some(element) if needs_adapter(&element) => {
                    format!("out.optional_with::<{element}, _>(\"{json}\", &{access})?;")
                }
                _ => format!("out.optional(\"{json}\", &{access})?;"),
            },
            (ty, _) => match ty.element() {
                Some(element) if needs_adapter(&element) => {
                    format!("out.with::<{element}, _>(\"{json}\", &{access})?;")
                }
                _ => format!("out.field(\"{json}\", &{access})?;"),
            },
        };
        // Where there is an id, its URI was written with it.
        if json == "uri" && linked_id(kind).is_some() {
            lines.push_str(&format!(
                "        if self.id.is_none() {{\n            {line}\n        }}\n"
            ));
        } else {
            lines.push_str(&format!("        {line}\n"));
        }
        if field.name == "release_date" {
            lines.push_str(
                "        out.optional(\"release_date_precision\", &self.release_date.map(|date| date.precision()))?;\n",
            );
        }
    }
    let start = match &kind.object {
        Some(object) => format!("ObjectWriter::new(serializer, \"{object}\")"),
        None => "ObjectWriter::untyped(serializer)".to_owned(),
    };
    format!(
        "impl Serialize for {name} {{\n    \
         fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {{\n        \
         let mut out = {start}?;\n{lines}        out.end()\n    }}\n}}\n"
    )
}

/// Whether values are written in another way than their own.
fn needs_adapter(element: &str) -> bool {
    ["Millis", "Secs", "UnixMillis", "Timestamp"].iter().any(|name| element.contains(name))
}
