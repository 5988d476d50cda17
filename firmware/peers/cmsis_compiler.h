// What CMSIS-DSP takes from CMSIS-Core, which its package does not hold: attributes, and instructions by the names of
// CMSIS-Core. The instructions are those of gcc's own <arm_acle.h>.
#ifndef PEERS_CMSIS_COMPILER_H
#define PEERS_CMSIS_COMPILER_H
#include <arm_acle.h>
#include <stdint.h>

#define __STATIC_FORCEINLINE static inline __attribute__((always_inline))
#define __STATIC_INLINE static inline
#define __ALIGNED(x) __attribute__((aligned(x)))
#define __WEAK __attribute__((weak))

#define __ASM __asm
#define __CLZ(x) ((uint8_t)((x) == 0 ? 32 : __builtin_clz(x)))
#define __SSAT(x, bits) __ssat(x, bits)
#define __USAT(x, bits) __usat(x, bits)
#define __QADD(a, b) __qadd(a, b)
#define __QSUB(a, b) __qsub(a, b)
#define __QADD8(a, b) __qadd8(a, b)
#define __QSUB8(a, b) __qsub8(a, b)
#define __QADD16(a, b) __qadd16(a, b)
#define __QSUB16(a, b) __qsub16(a, b)
#define __SHADD16(a, b) __shadd16(a, b)
#define __SHSUB16(a, b) __shsub16(a, b)
#define __QASX(a, b) __qasx(a, b)
#define __QSAX(a, b) __qsax(a, b)
#define __SHASX(a, b) __shasx(a, b)
#define __SHSAX(a, b) __shsax(a, b)
#define __SMUAD(a, b) __smuad(a, b)
#define __SMUADX(a, b) __smuadx(a, b)
#define __SMUSD(a, b) __smusd(a, b)
#define __SMUSDX(a, b) __smusdx(a, b)
#define __SMLAD(a, b, sum) __smlad(a, b, sum)
#define __SMLADX(a, b, sum) __smladx(a, b, sum)
#define __SMLSDX(a, b, sum) __smlsdx(a, b, sum)
#define __SMLALD(a, b, sum) __smlald(a, b, sum)
#define __SMLALDX(a, b, sum) __smlaldx(a, b, sum)
#define __SXTB16(x) __sxtb16(x)
// As CMSIS-Core has them for all compilers; gcc makes one instruction of each.
#define __PKHBT(low, high, shift) (((uint32_t)(low) & 0xffffu) | (((uint32_t)(high) << (shift)) & 0xffff0000u))
#define __PKHTB(high, low, shift) (((uint32_t)(high) & 0xffff0000u) | (((uint32_t)((int32_t)(low) >> (shift))) & 0xffffu))
#define __SMMLA(a, b, sum) ((int32_t)((((int64_t)(sum) << 32) + (int64_t)(a) * (b)) >> 32))

#endif
