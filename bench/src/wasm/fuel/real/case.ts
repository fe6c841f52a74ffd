/** @module What a real module is, to the bench. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Finds files of packages. */
export const packages = createRequire(import.meta.url);

/** A module from npm and work that is what it is for. */
export interface RealCase {
  readonly name: string;
  /** The module's file, as a path into its package. */
  readonly file: string;
  /** Loads the library; what it answers does some tens of milliseconds of work and says what came out. */
  prepare(): Promise<() => unknown>;
}

/** Bytes of a file of a package, also of one that the package does not export. */
export function readPackage(file: string): Uint8Array<ArrayBuffer> {
  const name = file.split("/", file.startsWith("@") ? 2 : 1).join("/");
  const folder = packages.resolve.paths(name)?.find((path) => existsSync(join(path, name)));
  return Uint8Array.from(readFileSync(join(folder ?? "", file)));
}

/** Text that looks like a program, always the same. */
export function someSource(functions: number): string {
  return Array.from(
    { length: functions },
    (_, at) => `function f${at}(a,b){let s=${at};for(let i=0;i<a.length;i++){if(a[i]%${at + 2}===0)
s+=a[i]*b;else{s-=b}} /* no ${at} */ return {sum:s,name:"f${at}"+String(s),list:[1,2,3].map(x=>x+s)};}
class C${at} extends Object{constructor(x){super();this.x=x??${at}} get y(){return \`\${this.x} of ${at}\`}}`,
  ).join("\n");
}

/** What codecs take, as browsers have it. */
export interface Image {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** An encoder of images, as the packages of jSquash export one. */
export interface Encoder {
  init(module: WebAssembly.Module): Promise<unknown>;
  default(image: Image): Promise<ArrayBuffer>;
}

/** An image with edges and gradients. */
export function someImage(width: number, height: number): Image {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    data.set([(x * y) >> 4, (x ^ y) & 255, x * 2 + y, 255], 4 * at);
  }
  return { data, width, height };
}
