/* What the firmware does once the board runs. The application that was chosen implements it:
 * protocol.c (tinygen's device protocol) or mlperf.c (MLPerf Tiny's). */
#ifndef APP_H
#define APP_H

#ifdef __cplusplus
extern "C" {
#endif

/* Once, when the serial port and the timer work: say what runs here. */
void app_start(void);

/* Wait for one request and answer it: the body of a main loop that is not ours. */
void app_poll(void);

/* Answer requests for ever. */
void app_serve(void);

/* Tell the host that the processor faulted. */
typedef struct {
    unsigned long exception, pc, lr, status, address;
} crash_report;

void app_report_crash(const crash_report *report);

#ifdef __cplusplus
}
#endif

#endif
