//! Countries and sets of countries.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeSeq,
};

use crate::{in_place::is_in_place, text::text_serde};

/// A country by its two-letter code (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Returns the two letters in upper case.
    pub fn as_str(&self) -> &str {
        // The bytes are always ASCII letters, so the conversion cannot fail.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether ISO 3166-1 has assigned the code to a country. The result is also `true` for `XK`,
    /// which Spotify uses for Kosovo. Unassigned codes can be parsed, too, because Spotify may add
    /// countries.
    pub fn is_assigned(self) -> bool {
        self.as_str() == "XK" || ASSIGNED.split(' ').any(|code| code == self.as_str())
    }

    /// Index of the code among all pairs of letters.
    fn index(self) -> usize {
        let [first, second] = self.0.map(|letter| usize::from(letter.wrapping_sub(b'A')));
        first * 26 + second
    }

    fn at(index: usize) -> Option<Self> {
        let letter = |place: usize| u8::try_from(place).ok().map(|place| place.wrapping_add(b'A'));
        Some(Self([letter(index / 26)?, letter(index % 26)?]))
    }
}

/// The codes that ISO 3166-1 assigns.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ \
    DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP \
    GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG \
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE \
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL \
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM \
    US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl FromStr for Country {
    type Err = ParseCountryError;

    fn from_str(text: &str) -> Result<Self, ParseCountryError> {
        match text.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
            }
            _ => Err(ParseCountryError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

text_serde! { Country: "a two-letter country code", as_str; }

/// Error for a text that is not a two-letter code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCountryError(String);

impl fmt::Display for ParseCountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a country code; expected two letters of ISO 3166-1", self.0)
    }
}

impl std::error::Error for ParseCountryError {}

const WORDS: usize = 11;

/// A set of countries. A set with at least one country allocates 88 bytes. An empty set allocates
/// nothing.
///
/// In JSON, a set is a list of codes. Entries that are not two letters are skipped.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct CountrySet(Option<Box<[u64; WORDS]>>);

impl CountrySet {
    /// Whether the set contains the country.
    pub fn contains(&self, country: Country) -> bool {
        let index = country.index();
        let word = self.words().get(index / 64);
        word.is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// Adds a country. Returns `false` if the set already contained the country.
    pub fn insert(&mut self, country: Country) -> bool {
        let index = country.index();
        let words = self.0.get_or_insert_default();
        let Some(word) = words.get_mut(index / 64) else { return false };
        let bit = 1 << (index % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Number of countries.
    pub fn len(&self) -> usize {
        self.words().iter().map(|word| word.count_ones()).sum::<u32>().try_into().unwrap_or(0)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Iterates over the countries in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = Country> {
        (0..26 * 26)
            .filter(|index| {
                self.words().get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
            })
            .filter_map(Country::at)
    }

    fn words(&self) -> &[u64] {
        self.0.as_deref().map_or(&[], |words| words.as_slice())
    }
}

impl FromIterator<Country> for CountrySet {
    fn from_iter<I: IntoIterator<Item = Country>>(countries: I) -> Self {
        let mut set = Self::default();
        set.extend(countries);
        set
    }
}

impl Extend<Country> for CountrySet {
    fn extend<I: IntoIterator<Item = Country>>(&mut self, countries: I) {
        for country in countries {
            self.insert(country);
        }
    }
}

impl From<&CountrySet> for BTreeSet<Country> {
    fn from(set: &CountrySet) -> Self {
        set.iter().collect()
    }
}

/// Writes all countries on one line, because a set can contain nearly two hundred countries.
impl fmt::Debug for CountrySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, country) in self.iter().enumerate() {
            write!(f, "{}{country}", if at > 0 { " " } else { "" })?;
        }
        f.write_str("}")
    }
}

impl Serialize for CountrySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A binary format writes the number of countries before the first country.
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|country| list.serialize_element(&country))?;
        list.end()
    }
}

impl<'de> Deserialize<'de> for CountrySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The JSON reader has a fast path for lists of countries, which make up half of many
        // responses.
        if is_in_place() {
            return deserializer.deserialize_newtype_struct(COUNTRIES, Set);
        }
        deserializer.deserialize_seq(List)
    }
}

/// Newtype name that selects the JSON reader's fast path for lists of countries.
pub(crate) const COUNTRIES: &str = "$spot_model::CountrySet";

/// Receives a set of countries from the JSON reader.
struct Set;

impl<'de> Visitor<'de> for Set {
    type Value = CountrySet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of countries")
    }

    fn visit_bytes<E>(self, bits: &[u8]) -> Result<CountrySet, E> {
        Ok(CountrySet::from_bits(bits))
    }

    /// Deserializers without a fast path for lists of countries call this method.
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<CountrySet, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

/// The bits of a set: its 64-bit words, as bytes.
pub(crate) type Bits = [u8; WORDS * 8];

/// Scans a list in the usual form: pairs of capital letters in quotes, with commas and spaces
/// between them. Returns `None` for any other text, which may still be a valid list.
pub(crate) fn scan(json: &[u8]) -> Option<Bits> {
    let mut words = [0_u64; WORDS];
    let mut insert = |letters: [u8; 2]| {
        let index = Country(letters).index();
        // `get_mut` never returns `None`, because a set has a bit for every pair of letters.
        words.get_mut(index / 64).map(|word| *word |= 1 << (index % 64))
    };
    let mut rest = json.strip_prefix(b"[")?.trim_ascii_start();
    if rest != b"]" {
        loop {
            // Fast path: most lists contain no spaces.
            while let Some(([b'"', first @ b'A'..=b'Z', second @ b'A'..=b'Z', b'"', b','], after)) =
                rest.split_first_chunk()
            {
                insert([*first, *second])?;
                rest = after;
            }
            let [b'"', first @ b'A'..=b'Z', second @ b'A'..=b'Z', b'"', after @ ..] =
                rest.trim_ascii_start()
            else {
                return None;
            };
            insert([*first, *second])?;
            match after.trim_ascii_start() {
                [b',', after @ ..] => rest = after,
                [b']'] => break,
                _ => return None,
            }
        }
    }
    let mut bits = [0; WORDS * 8];
    for (bytes, word) in bits.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Some(bits)
}

impl CountrySet {
    fn from_bits(bits: &[u8]) -> Self {
        let mut words = [0_u64; WORDS];
        for (word, bytes) in words.iter_mut().zip(bits.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self((words != [0; WORDS]).then(|| Box::new(words)))
    }
}

/// Reads a list with any content, entry by entry.
struct List;

impl<'de> Visitor<'de> for List {
    type Value = CountrySet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of countries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CountrySet, A::Error> {
        let mut set = CountrySet::default();
        while let Some(Entry(country)) = list.next_element()? {
            set.extend(country);
        }
        Ok(set)
    }
}

/// An entry of a list of countries, parsed without allocating.
struct Entry(Option<Country>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;

        impl<'de> Visitor<'de> for Letters {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two letters")
            }

            fn visit_str<E>(self, text: &str) -> Result<Entry, E> {
                Ok(Entry(text.parse().ok()))
            }

            fn visit_unit<E>(self) -> Result<Entry, E> {
                Ok(Entry(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
                Ok(Entry(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Entry, E> {
                Ok(Entry(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
                Ok(Entry(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
                Ok(Entry(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Entry(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Entry(None))
            }
        }

        // Binary formats such as postcard do not support `deserialize_any`. In a binary format,
        // every entry is a string.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Letters)
        } else {
            deserializer.deserialize_str(Letters)
        }
    }
}
