export const ROUTES = ["classify", "teach", "train", "inside", "benchmark"] as const;

export type Route = (typeof ROUTES)[number];

export const TITLES: Readonly<Record<Route, string>> = {
  classify: "Classify",
  teach: "Teach it",
  train: "Train",
  inside: "Look inside",
  benchmark: "Benchmark",
};

/** The view that an address names: `#/train`; without one, the first. */
export const routeOf = (hash: string): Route => ROUTES.find((route) => hash === `#/${route}`) ?? ROUTES[0];
