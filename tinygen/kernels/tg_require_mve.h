/* Included by kernels for Helium, the vector extension of Armv8.1-M: a Cortex-M build whose flags
 * lack it stops here, instead of running its instructions in plain C. Other machines may: tests do.
 */
#ifndef TG_REQUIRE_MVE_H
#define TG_REQUIRE_MVE_H

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && !defined(__ARM_FEATURE_MVE)
#error "This model was generated for a core with Helium (MVE); the compiler's flags lack it."
#endif

#endif
