/** The part of the library's interface that is used here; the package brings no types. */
declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  export interface JpegLSDecoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
    decode(): void;
    getFrameInfo(): {
      width: number;
      height: number;
      bitsPerSample: number;
      componentCount: number;
    };
    getInterleaveMode(): number;
    delete(): void;
  }

  export interface CharlsModule {
    JpegLSDecoder: new () => JpegLSDecoder;
    HEAPU8: Uint8Array;
    getExceptionMessage(pointer: number): string;
  }

  export default function factory(options: {
    locateFile?: (name: string) => string;
    print: (text: string) => void;
    printErr: (text: string) => void;
  }): Promise<CharlsModule>;
}

declare module '@cornerstonejs/codec-charls/decodewasm?url' {
  const url: string;
  export default url;
}
