/** @module Dates in UTC from seconds since 1970, in the proleptic Gregorian calendar. */
import { fail } from "@glovebox/plugin-sdk/assembly";

/** 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the years that four digits can say. */
const FIRST_SECOND: f64 = -62_135_596_800;
const LAST_SECOND: f64 = 253_402_300_799;
const MAX_FORMAT_LENGTH = 64;

/** Replaces YYYY, MM, DD, HH, mm and ss in `format`; everything else stays. */
export function formatDate(seconds: f64, format: string): string {
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND) || format.length > MAX_FORMAT_LENGTH) {
    fail("The date must lie in the years 1 to 9999, and its format be at most 64 characters long.");
    return "";
  }
  const second = <i64>Math.floor(seconds);
  const ofDay = <i32>(((second % 86_400) + 86_400) % 86_400);
  const days = (second - ofDay) / 86_400;
  const date = civilDate(days);
  return format
    .replaceAll("YYYY", padded(date[0], 4))
    .replaceAll("MM", padded(date[1], 2))
    .replaceAll("DD", padded(date[2], 2))
    .replaceAll("HH", padded(ofDay / 3_600, 2))
    .replaceAll("mm", padded((ofDay / 60) % 60, 2))
    .replaceAll("ss", padded(ofDay % 60, 2));
}

/** Year, month and day of a day counted from 1970-01-01; years are counted from March, so that leap days end them. */
function civilDate(days: i64): StaticArray<i32> {
  const shifted = days + 719_468;
  const era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097;
  const ofEra = shifted - era * 146_097;
  const yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365;
  const ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const marchMonth = (5 * ofYear + 2) / 153;
  const day = <i32>(ofYear - (153 * marchMonth + 2) / 5 + 1);
  const month = <i32>(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9);
  const year = <i32>(yearOfEra + era * 400) + (month <= 2 ? 1 : 0);
  return [year, month, day];
}

function padded(value: i32, width: i32): string {
  return value.toString().padStart(width, "0");
}
