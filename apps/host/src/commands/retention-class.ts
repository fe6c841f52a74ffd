/** @module Retention classes and their windows, as they are typed. */
import { RETENTION_CLASSES, type RetentionClass, type RetentionDays } from "@glovebox/auditor";

import { usageError } from "../errors.ts";

const DAYS = /^(?:\d{1,5}|ever)$/;

/** @throws {@link HostError} (`HOST_USAGE`) */
export function parseClass(option: string, text: string): RetentionClass {
  if (Object.hasOwn(RETENTION_CLASSES, text)) return text as RetentionClass;
  throw usageError(`${option} is one of ${Object.keys(RETENTION_CLASSES).join(", ")}`);
}

/** `CLASS=DAYS`, or `CLASS=ever`. @throws {@link HostError} (`HOST_USAGE`) */
export function parseDays(texts: readonly string[]): RetentionDays {
  return Object.fromEntries(
    texts.map((text) => {
      const [kept = "", days = "", ...more] = text.split("=");
      if (!DAYS.test(days) || more.length > 0)
        throw usageError("--days is CLASS=DAYS or CLASS=ever");
      return [parseClass("--days", kept), days === "ever" ? Infinity : Number(days)];
    }),
  );
}
