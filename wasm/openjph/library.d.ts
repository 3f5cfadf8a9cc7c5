/** The part of the library's interface that is used here; the package brings no types. */
declare module '@cornerstonejs/codec-openjph' {
  export interface FrameInfo {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
    isUsingColorTransform: boolean;
  }

  export interface HTJ2KDecoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    readHeader(): void;
    decodeSubResolution(level: number): void;
    getFrameInfo(): FrameInfo;
    getNumDecompositions(): number;
    getIsHeaderValid(): boolean;
    getLastErrorMessage(): string;
  }

  export interface OpenjphModule {
    HTJ2KDecoder: new () => HTJ2KDecoder;
    HEAPU8: Uint8Array;
  }

  export default function factory(options: {
    locateFile?: (name: string) => string;
    print: (text: string) => void;
    printErr: (text: string) => void;
  }): Promise<OpenjphModule>;
}

declare module '@cornerstonejs/codec-openjph/wasm?url' {
  const url: string;
  export default url;
}
