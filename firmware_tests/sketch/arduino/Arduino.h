/* As much of the Arduino API as the generated sketch uses, for tests: names and types are those of
 * the real cores, the behaviour is that of who implements it: arduino_posix.cpp, arduino_bare.cpp.
 * The defines that a real core's build gives (ARDUINO_ARCH_...) choose what a core has of its own.
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

extern "C" {
unsigned long millis(void);
unsigned long micros(void);
void delay(unsigned long milliseconds);
void yield(void);
}

void setup(void);
void loop(void);

class SerialPort {
public:
    constexpr SerialPort() {}
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(uint8_t byte);
    size_t write(const uint8_t *data, size_t bytes);
    void flush();
#if defined(ARDUINO_ARCH_ESP32)
    size_t setRxBufferSize(size_t bytes);
#endif
};

extern SerialPort Serial;

/* Names that are taken, with types that no firmware of ours would give them. */
extern "C" {
#if defined(ARDUINO_ARCH_STM32) || defined(ARDUINO_ARCH_RP2040)
void uart_init(void *instance, uint32_t baud);
#endif
#if defined(ARDUINO_ARCH_MBED)
void serial_init(void *instance, int tx, int rx);
#endif
}

#if defined(ARDUINO_ARCH_ESP32)

class EspClass {
public:
    constexpr EspClass() {}
    void restart();
    uint32_t getCycleCount();
};

extern EspClass ESP;

extern "C" {
uint32_t getCpuFrequencyMhz(void);
void disableCore0WDT(void);
size_t getArduinoLoopTaskStackSize(void);
unsigned int uxTaskGetStackHighWaterMark(void *task);
}

#elif defined(TEENSYDUINO)

/* A register that resets the chip when the right word is written to it. */
struct ResetRegister {
    void operator=(uint32_t value);
};

extern ResetRegister SCB_AIRCR;
extern "C" volatile uint32_t F_CPU_ACTUAL;

#else

/* From CMSIS, which these cores' Arduino.h includes. */
extern "C" uint32_t SystemCoreClock;
extern "C" void NVIC_SystemReset(void);

#endif

#endif
