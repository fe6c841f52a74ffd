/**
 * @module Checks that all packages look alike and keep to their layer. Prints every problem at once
 * and exits 1 if there is one. The rules are in uniformity/.
 */
import { dirname } from "node:path";

import { LAYER_RULES } from "./uniformity/layers.ts";
import { PROSE_RULES } from "./uniformity/prose.ts";
import { problemsOf } from "./uniformity/rule.ts";
import { SHAPE_RULES } from "./uniformity/shape.ts";
import { readWorkspace } from "./uniformity/workspace.ts";

const workspace = await readWorkspace(dirname(import.meta.dirname));
const rules = [...SHAPE_RULES, ...LAYER_RULES, ...PROSE_RULES];
const problems = problemsOf(workspace, rules);
for (const { rule, place, message } of problems) console.error(`${place}: ${message}  [${rule}]`);
console.log(
  `uniformity: ${rules.length} rules, ${workspace.members.length} members, ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
