/* The floor: what W1, W2 with spike traces and W2 with the dendritic rule take when written by hand. One workload a run:
   floor w1|traces|dendrites SEED SECONDS -> "spikes, CPU seconds of the program, a weight". */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 1000, DELAY = 10 };
static uint64_t s[2];
static inline uint64_t next(void) { /* xoroshiro128+ */
  uint64_t a = s[0], b = s[1], r = a + b;
  b ^= a;
  s[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
  s[1] = (b << 37) | (b >> 27);
  return r;
}
static inline double uniform(void) { return (next() >> 11) * 0x1p-53; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }

static long w1(double seconds) {
  const double dt = 1e-4, tau = 20e-3, J = 0.7, th = 20, low = 10, w = 0.5, U = 0.2, keep = 1 - dt / tau;
  const uint64_t kick = (uint64_t)(1150 * dt * 0x1p64);
  static double V[N], u[N], x[N], in[DELAY][N];
  static int last[N], start[N + 1], target[N * N];
  for (int i = 0; i < N; i++) {
    V[i] = uniform() * th, u[i] = U, x[i] = 1, last[i] = -1000000;
    start[i + 1] = start[i];
    for (int j = 0; j < N; j++) if (j != i && uniform() < 0.1) target[start[i + 1]++] = j;
  }
  long spikes = 0, steps = lround(seconds / dt);
  for (long k = 0; k < steps; k++) {
    double *now_in = in[k % DELAY];
    for (int i = 0; i < N; i++) {
      int kicked = next() < kick;
      double on = k - last[i] > 20 ? 1 : 0;
      V[i] = on ? V[i] * keep + kicked * J + now_in[i] : V[i];
      now_in[i] = 0;
      if (V[i] > th) {
        double gone = (k - last[i]) * dt;
        u[i] = U + (u[i] - U) * exp(-gone / 1.5), x[i] = 1 + (x[i] - 1) * exp(-gone / 0.2);
        double add = w * u[i] * x[i];
        x[i] -= u[i] * x[i], u[i] += U * (1 - u[i]);
        for (int m = start[i]; m < start[i + 1]; m++) in[(k + DELAY - 1) % DELAY][target[m]] += add;
        V[i] = low, last[i] = k, spikes++;
      }
    }
  }
  return spikes;
}

static double A[N][N];

static long w2(double seconds, int traces) {
  const double dt = 1e-4, tau = 5, tau_t = 20e-3, tau_h = 10e-3, eta = 0.5, r0 = 20;
  const uint64_t fires = (uint64_t)(r0 * dt * 0x1p64);
  static double I[N], p[N], h[N];
  static int fired[N];
  long spikes = 0, steps = lround(seconds / dt);
  double decay = 1; /* of all weights since the start: 5 s are one tau */
  for (long k = 0; k < steps; k++) {
    int count = 0;
    decay *= exp(-dt / tau);
    for (int i = 0; i < N; i++) I[i] *= 1 - dt / tau_h, p[i] *= 1 - dt / tau_t, h[i] = traces ? p[i] / 2 : fmin(fmax(1 + I[i], 0), 1);
    for (int i = 0; i < N; i++) if (next() < fires) fired[count++] = i;
    double read = decay / (N * r0 * tau_h), write = eta / (tau * r0 * decay);
    for (int c = 0; c < count; c++)
      for (int i = fired[c], j = 0; j < N; j++) I[j] += A[i][j] * read, A[i][j] += write * h[j];
    for (int c = 0; traces && c < count; c++) /* postsynaptic spikes: one column, with a stride of a row */
      for (int j = fired[c], i = 0; i < N; i++) A[i][j] += write * p[i] / 2;
    for (int c = 0; c < count; c++) p[fired[c]] += 1 / (r0 * tau_t);
    spikes += count;
  }
  return spikes;
}

int main(int n, char **word) {
  if (n != 4) return 2;
  s[0] = 0x9E3779B97F4A7C15u * (1 + strtoul(word[2], 0, 10)), s[1] = 0xBF58476D1CE4E5B9u;
  for (int k = 0; k < 20; k++) next();
  double seconds = atof(word[3]), from = now();
  long spikes = strcmp(word[1], "w1") ? w2(seconds, !strcmp(word[1], "traces")) : w1(seconds);
  printf("%ld %.6f %g\n", spikes, now() - from, A[0][1]);
  return 0;
}
