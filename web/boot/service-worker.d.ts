/** What TypeScript knows of service workers only where it knows nothing of pages. */

export interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

export interface InstallEvent extends ExtendableEvent {
  /** Static routing; not in every browser. */
  addRoutes?(rules: RouterRule[]): Promise<void>;
}

export interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  readonly preloadResponse: Promise<Response | undefined>;
  respondWith(answer: Promise<Response>): void;
}

export interface RouterCondition {
  urlPattern?: string | URLPattern | URLPatternInit;
  requestMode?: RequestMode;
}

export interface RouterRule {
  condition: RouterCondition;
  source: 'network' | 'race-network-and-fetch-handler' | { cacheName: string };
}

export interface ServiceWorkerScope {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  addEventListener(kind: 'install', listener: (event: InstallEvent) => void): void;
  addEventListener(kind: 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(kind: 'fetch', listener: (event: FetchEvent) => void): void;
}
